"""The sandbox telephone network itself."""
