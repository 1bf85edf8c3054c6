"""What a calendar means: which moments are open, how much time has passed, when something falls due."""
