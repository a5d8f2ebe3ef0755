"""Rows: Django tables only. Rules live in mail/, reads in queries/, writes in actions/."""
