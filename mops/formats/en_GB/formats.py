"""What differs from Django's own British English: hours from 0 to 23, as everywhere else in mops."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "d/m/Y H:i"
