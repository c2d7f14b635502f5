"""The site's settings: read once, checked as a whole, frozen."""
