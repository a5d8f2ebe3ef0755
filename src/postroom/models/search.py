"""What texts are found by in the middle of their words: triplets of letters, written down a little later."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class SearchNoun(models.IntegerChoices):
    CONTACT = 1
    SUPPRESSION = 2
    #: A single one that went out: its subject.
    MESSAGE = 3


class SearchGrams(models.Model):
    """A hint and not the answer: who searches looks at the text as well. Rows of what is gone do no harm."""

    pk = models.CompositePrimaryKey("noun", "thing_id")
    noun = models.SmallIntegerField()
    thing_id = models.BigIntegerField()
    #: mail/grams.py; among them the mark of the workspace and the noun (queries/search_grams.py).
    grams = ArrayField(models.IntegerField())

    class Meta:
        indexes = [GinIndex(fields=["grams"], name="search_grams_gin")]


class SearchDue(models.Model):
    """Of the things numbered `first` to `last` some are new, changed or gone since their triplets were written.

    Triggers of the tables write it: an import pays a thousandth of what the index itself would cost it.
    """

    noun = models.SmallIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["noun"], name="search_due_noun")]
