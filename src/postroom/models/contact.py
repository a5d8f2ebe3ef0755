"""People we may write to, and stored sets of them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.profile import Shared


class ContactKind(models.TextChoices):
    EMPLOYEE = "employee"
    CONTRACTOR = "contractor"
    OTHER = "other"


class Contact(models.Model):
    """A person we may write to. `attributes` holds free fields: {key: text}.

    Here and in the two tables beside it, references to one thing that a whole import shares have no constraint in the
    database: it would look the same row up a million times, a third of the time of an import.
    """

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, db_index=False, db_constraint=False)
    kind = models.CharField(max_length=10, choices=ContactKind.choices, default=ContactKind.OTHER)
    email = models.CharField(max_length=254)
    canonical = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    surname = models.CharField(max_length=200, blank=True)
    salutation = models.CharField(max_length=200, blank=True)
    company = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    #: The import that created it, for undo.
    import_run = models.ForeignKey(
        "ImportRun", null=True, blank=True, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "canonical"], name="contact_once")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, self.surname) if part) or self.email


class ContactSearch(models.Model):
    """The narrow table that "contains" searches scan; folded and sorted by rules of ours (DESIGN 3)."""

    contact = models.OneToOneField(
        Contact, primary_key=True, on_delete=models.CASCADE, db_constraint=False
    )  # derived from it, in the same statement
    workspace = models.ForeignKey(
        "Workspace", on_delete=models.DO_NOTHING, db_index=False, db_constraint=False
    )  # always that of the contact
    #: name, company, address; lower case, accents folded.
    text = models.TextField(db_collation="C")
    sort_key = models.CharField(max_length=200, db_collation="C")

    class Meta:
        indexes = [models.Index(fields=["workspace", "sort_key", "contact"], name="contact_sort")]


class AttributeKey(models.Model):
    """A free contact field of a workspace: its key in `attributes` and what people call it."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    key = models.CharField(max_length=60)
    label = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="attribute_key_once")]


def _everyone() -> list[str]:
    return ["view", "use", "edit", "export"]


class ContactList(Shared):
    """A stored set of contacts."""

    NOUN = "list"
    everyone = ArrayField(models.CharField(max_length=6), default=_everyone)

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="lists")
    name = models.CharField(max_length=120)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    version = models.PositiveIntegerField(default=1)
    #: Members, kept with the rows that are added and removed; no page counts them.
    size = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class ListMember(models.Model):
    contact_list = models.ForeignKey(
        ContactList, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, db_index=False)
    import_run = models.ForeignKey(
        "ImportRun", null=True, blank=True, on_delete=models.DO_NOTHING, db_index=False, db_constraint=False
    )
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact_list", "contact"], name="list_member_once")]
        #: For the key of `contact`, and for finding who is on no list without reading the table.
        indexes = [models.Index(fields=["contact", "contact_list"], name="list_member_of")]


class ImportRun(models.Model):
    """One file brought in, its choices, its figures, and what is needed to undo it."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    file_name = models.CharField(max_length=255)
    file = models.ForeignKey("Blob", on_delete=models.PROTECT)
    #: {"encoding", "separator", "has_header", "mapping": {column: field},
    #:  "existing": "fill" | "replace" | "leave", "list_id", "new_list"}
    choices = models.JSONField(default=dict)
    #: new -> checking -> checked -> running -> done | failed -> undone; cancelled before it ran
    state = models.CharField(max_length=10, default="new")
    rows = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    left_before = models.PositiveIntegerField(default=0)
    #: People of the file who were here before it.
    existing = models.PositiveIntegerField(default=0)
    #: More for the page: {"filled": {column: n}} of the check, {"undone": {...}} of the undo.
    figures = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    target_list = models.ForeignKey(ContactList, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)


class ImportRowError(models.Model):
    import_run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="row_errors")
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=120, blank=True)
    value = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=300)


class ImportUndo(models.Model):
    """What a contact held before an import changed it."""

    import_run = models.ForeignKey(ImportRun, on_delete=models.CASCADE)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE)
    before = models.JSONField()
