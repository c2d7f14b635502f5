"""The configuration folder and the environment: what is read, and every mistake that is said."""
