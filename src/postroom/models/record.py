"""What mail is about: contractors, documents, opportunities, processes, or a thing of another system (CM-39)."""

from django.db import models


class RecordKind(models.TextChoices):
    CONTRACTOR = "contractor"
    DOCUMENT = "document"
    OPPORTUNITY = "opportunity"
    PROCESS = "process"
    #: Anything else, by (type, id, URL) of the system that keeps it.
    LINK = "link"


class Record(models.Model):
    """A light record with a timeline of its mail. Seen by everybody in the workspace; its mail by who may read it."""

    workspace = models.ForeignKey(
        "Workspace", on_delete=models.CASCADE, related_name="records", db_index=False
    )
    kind = models.CharField(max_length=12, choices=RecordKind.choices)
    name = models.CharField(max_length=200)
    #: The firm's own number of it.
    number = models.CharField(max_length=60, blank=True)
    #: Where it is kept: "" = here. With external_id it names the record for programs.
    external_type = models.CharField(max_length=60, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    url = models.CharField(max_length=500, blank=True)
    #: The contractor a document, opportunity or process belongs to.
    parent = models.ForeignKey("Record", null=True, on_delete=models.SET_NULL, related_name="children")
    #: Merge fields {{ record.KEY }}: strings by key.
    fields = models.JSONField(default=dict)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)
    #: What it is found by and where it stands in the list: name, number, id elsewhere, by the rules of mail/fold.py.
    search = models.TextField(blank=True, db_collation="C")
    sort_key = models.CharField(max_length=200, blank=True, db_collation="C")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "external_type", "external_id"],
                condition=models.Q(deleted_at=None) & ~models.Q(external_id=""),
                name="record_external_once",
            )
        ]
        indexes = [models.Index(fields=["workspace", "sort_key", "id"], name="record_sort")]

    def __str__(self) -> str:
        return self.name


class RecordKey(models.Model):
    """A merge field that records of the workspace have: its key, and how many live records hold it (never 0)."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, db_index=False)
    key = models.CharField(max_length=60)
    records = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="record_key_once")]


class RecordPerson(models.Model):
    """A contact person of a record; the first is proposed as the recipient. Put back with the record."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="people")
    contact = models.ForeignKey(
        "Contact", on_delete=models.CASCADE, related_name="records", db_constraint=False
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "contact"], name="record_person_once")]


class RecordFile(models.Model):
    """A file kept with a record, to be sent along."""

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="files")
    blob = models.ForeignKey("Blob", on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
