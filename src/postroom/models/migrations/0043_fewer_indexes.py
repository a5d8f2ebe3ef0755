"""What is stored with each mail has fewer indexes: 24 go, 8 come, most of them of few rows."""

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.state import ProjectState

#: table -> columns whose own index goes.
_GONE = {
    "postroom_message": (
        "workspace_id",
        "account_id",
        "raw_id",
        "campaign_id",
        "delivery_id",
        "type_id",
        "user_id",
        "conversation_id",
        "record_id",
    ),
    "postroom_event": ("workspace_id", "account_id", "raw_id", "campaign_id", "message_id"),
    "postroom_conversation": (
        "account_id",
        "assignee_id",
        "assigned_by_id",
        "type_id",
        "record_id",
        "campaign_id",
        "merged_into_id",
    ),
}
#: Columns whose second index for LIKE goes.
_LIKE = {"postroom_message": "raw_id", "postroom_event": "raw_id", "postroom_blob": "sha256"}
_MADE = """
CREATE INDEX message_raw ON postroom_message (raw_id);
CREATE INDEX message_delivery ON postroom_message (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX message_type ON postroom_message (type_id) WHERE type_id IS NOT NULL;
CREATE INDEX message_record ON postroom_message (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX event_raw ON postroom_event (raw_id);
CREATE INDEX event_message ON postroom_event (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX conversation_record ON postroom_conversation (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX conversation_merged ON postroom_conversation (merged_into_id) WHERE merged_into_id IS NOT NULL;
DROP INDEX conversation_mine;
CREATE INDEX conversation_mine ON postroom_conversation (workspace_id, assignee_id, state, last_at DESC)
 WHERE assignee_id IS NOT NULL;
"""


class Indexes(SeparateDatabaseAndState):
    """All at once. Django would work out every model anew after each of the steps."""

    reversible = False

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)  # worked out once, when it is next asked for
        super().state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        gone = [(table, column, "") for table, columns in _GONE.items() for column in columns]
        gone += [(table, column, "_like") for table, column in _LIKE.items()]
        for table, column, suffix in gone:
            name = schema_editor._create_index_name(table, [column], suffix=suffix)  # type: ignore[attr-defined]
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")
        for statement in filter(str.strip, _MADE.split(";")):
            schema_editor.execute(statement)


def _key(
    model: str, name: str, to: str, gone: object = models.SET_NULL, **more: object
) -> migrations.AlterField:
    """A reference without an index of its own."""
    given = {"null": True, "db_index": False, **more}
    return migrations.AlterField(model, name, models.ForeignKey(to=to, on_delete=gone, **given))


class Migration(migrations.Migration):
    dependencies = [("postroom", "0042_words_by_conversation")]

    operations = [
        Indexes(
            state_operations=[
                _key("message", "workspace", "postroom.workspace", models.CASCADE),
                _key("message", "account", "postroom.account"),
                _key("message", "raw", "postroom.blob", models.PROTECT),
                _key("message", "campaign", "postroom.campaign"),
                _key("message", "delivery", "postroom.delivery", related_name="+"),
                _key("message", "type", "postroom.messagetype", blank=True, related_name="+"),
                _key("message", "user", settings.AUTH_USER_MODEL),
                _key("message", "conversation", "postroom.conversation", related_name="messages"),
                _key("message", "record", "postroom.record", related_name="messages"),
                _key("event", "workspace", "postroom.workspace", models.CASCADE),
                _key("event", "account", "postroom.account"),
                _key("event", "raw", "postroom.blob", models.PROTECT, null=False),
                _key("event", "campaign", "postroom.campaign"),
                _key("event", "message", "postroom.message"),
                _key("conversation", "account", "postroom.account", related_name="conversations"),
                _key("conversation", "assignee", settings.AUTH_USER_MODEL, related_name="+"),
                _key("conversation", "assigned_by", settings.AUTH_USER_MODEL, related_name="+"),
                _key("conversation", "type", "postroom.messagetype", related_name="+"),
                _key("conversation", "record", "postroom.record", related_name="conversations"),
                _key("conversation", "campaign", "postroom.campaign", related_name="+"),
                _key("conversation", "merged_into", "postroom.conversation", related_name="+"),
                migrations.AddIndex("message", models.Index(fields=["raw"], name="message_raw")),
                migrations.AddIndex(
                    "message",
                    models.Index(
                        fields=["delivery"],
                        name="message_delivery",
                        condition=models.Q(delivery__isnull=False),
                    ),
                ),
                migrations.AddIndex(
                    "message",
                    models.Index(
                        fields=["type"], name="message_type", condition=models.Q(type__isnull=False)
                    ),
                ),
                migrations.AddIndex(
                    "message",
                    models.Index(
                        fields=["record"], name="message_record", condition=models.Q(record__isnull=False)
                    ),
                ),
                migrations.AddIndex("event", models.Index(fields=["raw"], name="event_raw")),
                migrations.AddIndex(
                    "event",
                    models.Index(
                        fields=["message"], name="event_message", condition=models.Q(message__isnull=False)
                    ),
                ),
                migrations.AddIndex(
                    "conversation",
                    models.Index(
                        fields=["record"],
                        name="conversation_record",
                        condition=models.Q(record__isnull=False),
                    ),
                ),
                migrations.AddIndex(
                    "conversation",
                    models.Index(
                        fields=["merged_into"],
                        name="conversation_merged",
                        condition=models.Q(merged_into__isnull=False),
                    ),
                ),
                migrations.RemoveIndex("conversation", "conversation_mine"),
                migrations.AddIndex(
                    "conversation",
                    models.Index(
                        fields=["workspace", "assignee", "state", "-last_at"],
                        name="conversation_mine",
                        condition=models.Q(assignee__isnull=False),
                    ),
                ),
            ]
        )
    ]
