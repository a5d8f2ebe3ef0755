"""22 ноември 2026, 07:29"""

DATETIME_FORMAT = "j E Y, H:i"
