"""How outcomes reach the chart, one file per mode, each with `build(settings)`."""
