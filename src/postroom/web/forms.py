"""What all our forms share."""

from django import forms

from postroom.errors import PostroomError
from postroom.web.said import said


def add_error(form: forms.Form, error: PostroomError, field: str = "") -> None:
    """Show one of our errors at its field, at `field` when it names none, else above the form."""
    name = error.field or field
    form.add_error(name if name in form.fields else None, said(error))
