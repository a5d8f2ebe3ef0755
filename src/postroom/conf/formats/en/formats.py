"""22 November 2026, 07:29"""

DATETIME_FORMAT = "j F Y, H:i"
