"""What is true about appointments, reminders and texts, whoever stores or sends them."""
