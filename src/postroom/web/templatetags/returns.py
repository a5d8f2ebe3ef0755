"""`{% load returns %}`: {{ one.bounce_class|class_word }}."""

from django import template

from postroom.web.returns.views import class_word

register = template.Library()
register.filter("class_word", class_word)
