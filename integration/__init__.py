"""The product itself, in its own words: appointments, reminders, texts, replies, write-backs."""
