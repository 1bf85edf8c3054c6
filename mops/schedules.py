"""What runs when: every scheduled job, in one table."""
