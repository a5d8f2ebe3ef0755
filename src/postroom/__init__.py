"""Postroom: a firm's post room in one program."""

__version__ = "0.1.0"
