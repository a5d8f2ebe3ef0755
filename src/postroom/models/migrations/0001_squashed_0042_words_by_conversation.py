"""The whole schema as it was with the last of the steps named below."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.state import ProjectState

import postroom.models.account
import postroom.models.campaign
import postroom.models.contact
import postroom.models.exclusion
import postroom.models.message_type
import postroom.models.secret
import postroom.models.template
import postroom.models.workspace


class Tables(SeparateDatabaseAndState):
    """All tables at once. Django would work every model out anew after each of them: half a minute instead of two seconds."""

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
        for operation in self.state_operations:
            assert isinstance(operation, migrations.CreateModel)
            schema_editor.create_model(to_state.apps.get_model(app_label, operation.name))


class Migration(migrations.Migration):
    # A new database begins here; one made before goes on by the steps that this replaces.
    replaces = [
        ("postroom", "0001_initial"),
        ("postroom", "0002_storage"),
        ("postroom", "0003_contact_search_order"),
        ("postroom", "0004_import_speed"),
        ("postroom", "0005_collector_take_from"),
        ("postroom", "0006_signs_dkim"),
        ("postroom", "0007_probe_fingerprint"),
        ("postroom", "0008_suppression_index"),
        ("postroom", "0009_search_constraint"),
        ("postroom", "0010_delivery_report_indexes"),
        ("postroom", "0011_contact_newest"),
        ("postroom", "0012_office"),
        ("postroom", "0013_labels"),
        ("postroom", "0014_domains"),
        ("postroom", "0015_limits"),
        ("postroom", "0016_exclusions"),
        ("postroom", "0017_people"),
        ("postroom", "0018_suppression_subdomains"),
        ("postroom", "0019_probe_letter"),
        ("postroom", "0020_overrides"),
        ("postroom", "0021_discovery"),
        ("postroom", "0022_member_of_lists"),
        ("postroom", "0023_delivery_room"),
        ("postroom", "0024_pop_mail"),
        ("postroom", "0025_single_messages"),
        ("postroom", "0026_suppression_listed"),
        ("postroom", "0027_delivery_answers"),
        ("postroom", "0028_account_secrets_by"),
        ("postroom", "0029_drafts"),
        ("postroom", "0030_mailboxes_records_groups"),
        ("postroom", "0031_conversation_work"),
        ("postroom", "0032_records_archive_webhooks"),
        ("postroom", "0033_composer"),
        ("postroom", "0034_blob_packs"),
        ("postroom", "0035_group_engine"),
        ("postroom", "0036_mailer_status"),
        ("postroom", "0037_delivery_loose"),
        ("postroom", "0038_signals"),
        ("postroom", "0039_log_indexes"),
        ("postroom", "0040_webhook_due"),
        ("postroom", "0041_folders_wanted"),
        ("postroom", "0042_words_by_conversation"),
    ]
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        Tables(
            state_operations=[
                migrations.CreateModel(
                    name="Profile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="profiles",
                                to="postroom.workspace",
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "rights",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=30), default=list, size=None
                            ),
                        ),
                        ("is_default", models.BooleanField(default=False)),
                        (
                            "archive_scope",
                            models.CharField(
                                choices=[("own", "Own"), ("team", "Team"), ("all", "All")],
                                default="team",
                                max_length=4,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                models.F("workspace"),
                                django.db.models.functions.text.Lower("name"),
                                name="profile_name_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProfileMember",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="members",
                                to="postroom.profile",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="profile_members",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("is_primary", models.BooleanField(default=False)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("profile", "user"), name="profile_member_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Share",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        ("noun", models.CharField(max_length=12)),
                        ("noun_id", models.BigIntegerField()),
                        (
                            "profile",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.profile",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "may",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6), default=list, size=None
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["workspace", "noun", "noun_id"], name="share_noun")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("noun", "noun_id", "profile", "user"),
                                name="share_once",
                                nulls_distinct=False,
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("profile__isnull", True), ("user__isnull", True), _connector="XOR"
                                ),
                                name="share_to_one",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Invitation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to="postroom.workspace",
                            ),
                        ),
                        ("email", models.CharField(max_length=254)),
                        ("role", models.CharField(default="member", max_length=10)),
                        (
                            "profile_ids",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        (
                            "invited_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("expires_at", models.DateTimeField()),
                        ("accepted_at", models.DateTimeField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="ApiToken",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="api_tokens",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("prefix", models.CharField(max_length=12)),
                        (
                            "scopes",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=30), default=list, size=None
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("expires_at", models.DateTimeField(null=True)),
                        ("last_used_at", models.DateTimeField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Account",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="private",
                                max_length=10,
                            ),
                        ),
                        (
                            "everyone",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6),
                                default=postroom.models.account._everyone,
                                size=None,
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("own", "Own"), ("platform", "Platform")],
                                default="own",
                                max_length=10,
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="accounts",
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="accounts",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("address", models.CharField(max_length=254)),
                        ("display_name", models.CharField(blank=True, max_length=120)),
                        ("reply_to_address", models.CharField(blank=True, max_length=254)),
                        ("reply_to_name", models.CharField(blank=True, max_length=120)),
                        ("override_from", models.BooleanField(default=False)),
                        ("override_from_address", models.CharField(blank=True, max_length=60)),
                        ("override_from_name", models.CharField(blank=True, max_length=60)),
                        ("override_to", models.BooleanField(default=False)),
                        ("override_to_address", models.CharField(blank=True, max_length=60)),
                        ("override_to_name", models.CharField(blank=True, max_length=60)),
                        (
                            "approval",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "None"),
                                    ("draft", "Draft"),
                                    ("pending", "Pending"),
                                    ("approved", "Approved"),
                                    ("rejected", "Rejected"),
                                    ("suspended", "Suspended"),
                                ],
                                default="",
                                max_length=10,
                            ),
                        ),
                        ("approval_reason", models.TextField(blank=True)),
                        (
                            "approval_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("approval_at", models.DateTimeField(null=True)),
                        (
                            "submitted_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("submitted_at", models.DateTimeField(null=True)),
                        ("integration", models.BooleanField(default=False)),
                        (
                            "type_in",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.messagetype",
                            ),
                        ),
                        (
                            "type_out",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.messagetype",
                            ),
                        ),
                        (
                            "proxy_kind",
                            models.CharField(
                                blank=True,
                                choices=[("", "None"), ("socks5", "Socks5"), ("http", "Http")],
                                default="",
                                max_length=6,
                            ),
                        ),
                        ("proxy_host", models.CharField(blank=True, max_length=253)),
                        ("proxy_port", models.PositiveIntegerField(default=1080)),
                        ("proxy_login", models.CharField(blank=True, max_length=254)),
                        ("proxy_password", postroom.models.secret.SecretField(blank=True)),
                        (
                            "protocol",
                            models.CharField(
                                choices=[("imap", "Imap"), ("pop3", "Pop3")], default="imap", max_length=4
                            ),
                        ),
                        ("pop3_locked", models.BooleanField(default=False)),
                        ("pop3_leave", models.BooleanField(default=True)),
                        ("smtp_host", models.CharField(blank=True, max_length=253)),
                        ("smtp_port", models.PositiveIntegerField(default=587)),
                        (
                            "smtp_security",
                            models.CharField(
                                choices=[("none", "None"), ("starttls", "Starttls"), ("tls", "Tls")],
                                default="starttls",
                                max_length=10,
                            ),
                        ),
                        ("smtp_authenticate", models.BooleanField(default=True)),
                        ("smtp_login", models.CharField(blank=True, max_length=254)),
                        ("smtp_password", postroom.models.secret.SecretField(blank=True)),
                        ("imap_host", models.CharField(blank=True, max_length=253)),
                        ("imap_port", models.PositiveIntegerField(default=993)),
                        (
                            "imap_security",
                            models.CharField(
                                choices=[("none", "None"), ("starttls", "Starttls"), ("tls", "Tls")],
                                default="tls",
                                max_length=10,
                            ),
                        ),
                        ("imap_login", models.CharField(blank=True, max_length=254)),
                        ("imap_password", postroom.models.secret.SecretField(blank=True)),
                        ("smtp_same_as_imap", models.BooleanField(default=False)),
                        ("is_mailbox", models.BooleanField(default=False)),
                        ("keep_sent", models.BooleanField(default=True)),
                        ("takes_groups", models.BooleanField(default=False)),
                        ("verify_certificate", models.BooleanField(default=True)),
                        (
                            "secrets_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("per_minute", models.PositiveIntegerField(default=0)),
                        ("per_hour", models.PositiveIntegerField(default=0)),
                        ("per_day", models.PositiveIntegerField(default=0)),
                        ("per_span", models.PositiveIntegerField(default=0)),
                        ("span_minutes", models.PositiveIntegerField(default=0)),
                        ("pause_every", models.PositiveIntegerField(default=0)),
                        ("pause_s", models.PositiveIntegerField(default=0)),
                        ("connections", models.PositiveIntegerField(default=4)),
                        ("messages_per_connection", models.PositiveIntegerField(default=0)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("untested", "Untested"),
                                    ("ok", "Ok"),
                                    ("failing", "Failing"),
                                    ("paused", "Paused"),
                                ],
                                default="untested",
                                max_length=10,
                            ),
                        ),
                        ("status_reason", models.TextField(blank=True)),
                        ("status_since", models.DateTimeField(null=True)),
                        ("paused_until", models.DateTimeField(null=True)),
                        ("troubles", models.PositiveSmallIntegerField(default=0)),
                        ("last_test", models.JSONField(blank=True, default=dict)),
                        ("capabilities", models.JSONField(blank=True, default=dict)),
                        ("plus_tag", models.BooleanField(default=False)),
                        ("signs_dkim", models.BooleanField(default=False)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["workspace", "name"], name="account_name")],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Collector",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="collectors",
                                to="postroom.account",
                            ),
                        ),
                        ("folder", models.CharField(default="INBOX", max_length=255)),
                        ("role", models.CharField(blank=True, max_length=8)),
                        ("title", models.CharField(blank=True, max_length=255)),
                        ("modseq", models.BigIntegerField(default=0)),
                        ("message_count", models.PositiveIntegerField(default=0)),
                        ("gone_at", models.DateTimeField(null=True)),
                        (
                            "switched_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("switched_at", models.DateTimeField(null=True)),
                        ("is_on", models.BooleanField(default=True)),
                        ("is_wanted", models.BooleanField(default=True)),
                        ("interval_s", models.PositiveIntegerField(default=900)),
                        ("use_idle", models.BooleanField(default=True)),
                        ("uidvalidity", models.BigIntegerField(default=0)),
                        ("last_uid", models.BigIntegerField(default=0)),
                        ("take_from", models.DateTimeField(default=django.utils.timezone.now)),
                        ("last_ok_at", models.DateTimeField(null=True)),
                        ("last_new", models.PositiveIntegerField(default=0)),
                        ("error", models.TextField(blank=True)),
                        ("error_code", models.CharField(blank=True, max_length=40)),
                        ("error_since", models.DateTimeField(null=True)),
                        ("failures", models.PositiveIntegerField(default=0)),
                        ("next_run_at", models.DateTimeField(null=True)),
                        ("refusals", models.PositiveSmallIntegerField(default=0)),
                        ("told_to", models.CharField(blank=True, max_length=200)),
                        ("asked_at", models.DateTimeField(null=True)),
                        ("begun_at", models.DateTimeField(null=True)),
                        ("taken", models.PositiveIntegerField(default=0)),
                        ("to_take", models.PositiveIntegerField(default=0)),
                        ("day", models.DateField(null=True)),
                        ("day_new", models.PositiveIntegerField(default=0)),
                        ("holder", models.CharField(blank=True, max_length=80)),
                        ("lease_until", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("account", "folder"), name="collector_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PopMail",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                            ),
                        ),
                        ("uidl", models.CharField(max_length=255)),
                        ("number", models.BigIntegerField()),
                        ("message_id", models.CharField(blank=True, max_length=255)),
                        ("taken_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["account", "message_id"], name="pop_mail_message_id")
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("account", "uidl"), name="pop_mail_once"),
                            models.UniqueConstraint(
                                fields=("account", "number"), name="pop_mail_number_once"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Probe",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                            ),
                        ),
                        ("form", postroom.models.secret.SecretField(blank=True)),
                        ("state", models.CharField(default="waiting", max_length=10)),
                        ("fingerprint", models.CharField(blank=True, max_length=64)),
                        ("result", models.JSONField(default=dict)),
                        ("letter_to", models.CharField(blank=True, max_length=254)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Discovery",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                            ),
                        ),
                        ("address", models.CharField(max_length=254)),
                        ("state", models.CharField(default="waiting", max_length=8)),
                        ("result", models.JSONField(default=dict)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="LimitBucket",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                            ),
                        ),
                        ("window_s", models.PositiveIntegerField()),
                        ("slice_at", models.BigIntegerField()),
                        ("taken", models.PositiveIntegerField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("account", "window_s", "slice_at"), name="limit_slice_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WorkspaceBucket",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        ("window_s", models.PositiveIntegerField()),
                        ("slice_at", models.BigIntegerField()),
                        ("taken", models.PositiveIntegerField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("workspace", "window_s", "slice_at"), name="workspace_slice_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AccountRest",
                    fields=[
                        (
                            "account",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                serialize=False,
                                to="postroom.account",
                            ),
                        ),
                        ("sent", models.PositiveIntegerField(default=0)),
                        ("until", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="ConnectionLease",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                            ),
                        ),
                        ("worker", models.CharField(max_length=80)),
                        ("wanted", models.PositiveIntegerField(default=0)),
                        ("held", models.PositiveIntegerField(default=0)),
                        ("lease_until", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("account", "worker"), name="connection_lease_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Blob",
                    fields=[
                        ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                        ("size_bytes", models.BigIntegerField()),
                        ("pack", models.CharField(blank=True, db_default="", default="", max_length=32)),
                        ("offset", models.BigIntegerField(db_default=0, default=0)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Campaign",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="workspace",
                                max_length=10,
                            ),
                        ),
                        (
                            "everyone",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6),
                                default=postroom.models.campaign._everyone,
                                size=None,
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="campaigns",
                                to="postroom.workspace",
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "account",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                to="postroom.account",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.template",
                            ),
                        ),
                        (
                            "type",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.messagetype",
                            ),
                        ),
                        ("subject", models.TextField(blank=True)),
                        ("html", models.TextField(blank=True)),
                        ("text", models.TextField(blank=True)),
                        ("receipt_delivery", models.BooleanField(default=False)),
                        ("receipt_read", models.BooleanField(default=False)),
                        ("unsubscribe_header", models.BooleanField(default=True)),
                        ("on_missing", models.CharField(default="skip", max_length=5)),
                        ("on_doubt", models.CharField(default="ask", max_length=6)),
                        (
                            "mailing",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="siblings",
                                to="postroom.campaign",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("scheduled", "Scheduled"),
                                    ("freezing", "Freezing"),
                                    ("running", "Running"),
                                    ("waiting_for_slot", "Waiting For Slot"),
                                    ("paused", "Paused"),
                                    ("needs_account", "Needs Account"),
                                    ("cancelled", "Cancelled"),
                                    ("finished", "Finished"),
                                ],
                                default="draft",
                                max_length=16,
                            ),
                        ),
                        ("reason", models.TextField(blank=True)),
                        ("until", models.DateTimeField(null=True)),
                        ("throttled", models.TextField(blank=True)),
                        ("frozen_fields", models.JSONField(default=list)),
                        ("from_fallback", models.PositiveIntegerField(default=0)),
                        ("to_fallback", models.PositiveIntegerField(default=0)),
                        ("sender_address", models.CharField(blank=True, max_length=254)),
                        ("sender_name", models.CharField(blank=True, max_length=200)),
                        (
                            "sample",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="postroom.blob",
                            ),
                        ),
                        ("total", models.PositiveIntegerField(default=0)),
                        (
                            "started_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("start_at", models.DateTimeField(null=True)),
                        ("waits_since", models.DateTimeField(null=True)),
                        ("started_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("deleted_at", models.DateTimeField(null=True)),
                        ("lists", models.ManyToManyField(blank=True, to="postroom.contactlist")),
                    ],
                    options={
                        "indexes": [models.Index(fields=["workspace", "-id"], name="campaign_newest")],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Attachment",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="attachments",
                                to="postroom.campaign",
                            ),
                        ),
                        (
                            "blob",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("content_type", models.CharField(max_length=120)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Contact",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("employee", "Employee"),
                                    ("contractor", "Contractor"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                max_length=10,
                            ),
                        ),
                        ("email", models.CharField(max_length=254)),
                        ("canonical", models.CharField(max_length=254)),
                        ("name", models.CharField(blank=True, max_length=200)),
                        ("surname", models.CharField(blank=True, max_length=200)),
                        ("salutation", models.CharField(blank=True, max_length=200)),
                        ("company", models.CharField(blank=True, max_length=200)),
                        ("language", models.CharField(blank=True, max_length=5)),
                        ("attributes", models.JSONField(blank=True, default=dict)),
                        (
                            "import_run",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                to="postroom.importrun",
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("workspace", "canonical"), name="contact_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ContactSearch",
                    fields=[
                        (
                            "contact",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                serialize=False,
                                to="postroom.contact",
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                to="postroom.workspace",
                            ),
                        ),
                        ("text", models.TextField(db_collation="C")),
                        ("sort_key", models.CharField(db_collation="C", max_length=200)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["workspace", "sort_key", "contact"], name="contact_sort")
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="AttributeKey",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        ("key", models.CharField(max_length=60)),
                        ("label", models.CharField(max_length=120)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("workspace", "key"), name="attribute_key_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ContactList",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="workspace",
                                max_length=10,
                            ),
                        ),
                        (
                            "everyone",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6),
                                default=postroom.models.contact._everyone,
                                size=None,
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lists",
                                to="postroom.workspace",
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("size", models.PositiveIntegerField(default=0)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "abstract": False,
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="ListMember",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "contact_list",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.contactlist",
                            ),
                        ),
                        (
                            "contact",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.contact",
                            ),
                        ),
                        (
                            "import_run",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                to="postroom.importrun",
                            ),
                        ),
                        ("added_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["contact", "contact_list"], name="list_member_of")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("contact_list", "contact"), name="list_member_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ImportRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("file_name", models.CharField(max_length=255)),
                        (
                            "file",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("choices", models.JSONField(default=dict)),
                        ("state", models.CharField(default="new", max_length=10)),
                        ("rows", models.PositiveIntegerField(default=0)),
                        ("done", models.PositiveIntegerField(default=0)),
                        ("added", models.PositiveIntegerField(default=0)),
                        ("updated", models.PositiveIntegerField(default=0)),
                        ("unchanged", models.PositiveIntegerField(default=0)),
                        ("duplicates", models.PositiveIntegerField(default=0)),
                        ("rejected", models.PositiveIntegerField(default=0)),
                        ("left_before", models.PositiveIntegerField(default=0)),
                        ("existing", models.PositiveIntegerField(default=0)),
                        ("figures", models.JSONField(default=dict)),
                        ("error", models.TextField(blank=True)),
                        (
                            "target_list",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.contactlist",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="ImportRowError",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "import_run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="row_errors",
                                to="postroom.importrun",
                            ),
                        ),
                        ("line", models.PositiveIntegerField()),
                        ("column", models.CharField(blank=True, max_length=120)),
                        ("value", models.CharField(blank=True, max_length=300)),
                        ("reason", models.CharField(max_length=300)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="ImportUndo",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "import_run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.importrun"
                            ),
                        ),
                        (
                            "contact",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.contact"
                            ),
                        ),
                        ("before", models.JSONField()),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Conversation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="conversations",
                                to="postroom.account",
                            ),
                        ),
                        ("subject", models.TextField(blank=True)),
                        ("topic", models.CharField(blank=True, max_length=200)),
                        (
                            "state",
                            models.CharField(
                                choices=[("open", "Open"), ("waiting", "Waiting"), ("done", "Done")],
                                default="open",
                                max_length=8,
                            ),
                        ),
                        (
                            "assignee",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "assigned_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("assigned_at", models.DateTimeField(null=True)),
                        ("told_at", models.DateTimeField(null=True)),
                        (
                            "type",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.messagetype",
                            ),
                        ),
                        (
                            "record",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="conversations",
                                to="postroom.record",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.campaign",
                            ),
                        ),
                        ("person_address", models.CharField(blank=True, max_length=254)),
                        ("person_name", models.CharField(blank=True, max_length=200)),
                        ("snippet", models.CharField(blank=True, max_length=200)),
                        ("message_count", models.PositiveIntegerField(default=0)),
                        ("unread_count", models.PositiveIntegerField(default=0)),
                        ("last_at", models.DateTimeField()),
                        ("last_direction", models.CharField(default="in", max_length=3)),
                        (
                            "merged_into",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.conversation",
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                fields=["workspace", "account", "state", "-last_at"],
                                name="conversation_shelf",
                            ),
                            models.Index(
                                fields=["workspace", "assignee", "state", "-last_at"],
                                name="conversation_mine",
                            ),
                            models.Index(
                                fields=["workspace", "state", "-last_at"], name="conversation_newest"
                            ),
                            models.Index(fields=["workspace", "person_address"], name="conversation_person"),
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Note",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "conversation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notes",
                                to="postroom.conversation",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("text", models.TextField()),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Presence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "conversation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="present",
                                to="postroom.conversation",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("seen_at", models.DateTimeField()),
                        ("is_writing", models.BooleanField(default=False)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("conversation", "user"), name="presence_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MessageWords",
                    fields=[
                        (
                            "message",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="words",
                                serialize=False,
                                to="postroom.message",
                            ),
                        ),
                        ("workspace_id", models.BigIntegerField()),
                        ("account_id", models.BigIntegerField(null=True)),
                        ("conversation_id", models.BigIntegerField(null=True)),
                        ("at", models.DateTimeField()),
                        ("vector", django.contrib.postgres.search.SearchVectorField()),
                    ],
                    options={
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(
                                fields=["vector"], name="message_words_gin"
                            ),
                            models.Index(fields=["conversation_id"], name="message_words_conversation"),
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.campaign",
                            ),
                        ),
                        (
                            "message",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="postroom.message",
                            ),
                        ),
                        ("position", models.PositiveIntegerField(default=0)),
                        (
                            "contact",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.contact",
                            ),
                        ),
                        ("address", models.CharField(max_length=254)),
                        ("canonical", models.CharField(max_length=254)),
                        ("primary_canonical", models.CharField(max_length=254, null=True)),
                        ("name", models.CharField(blank=True, max_length=400)),
                        ("fields", models.JSONField(default=dict)),
                        ("state", models.CharField(default="queued", max_length=10)),
                        ("trouble", models.CharField(max_length=10, null=True)),
                        ("reason", models.CharField(blank=True, max_length=40)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("queued_at", models.DateTimeField(null=True)),
                        ("retry_at", models.DateTimeField(null=True)),
                        ("state_at", models.DateTimeField(null=True)),
                        ("code", models.PositiveSmallIntegerField(default=0)),
                        ("words", models.TextField(blank=True)),
                        ("bounce_class", models.CharField(blank=True, max_length=16)),
                        ("dsn_requested", models.BooleanField(default=False)),
                        ("tries", models.JSONField(default=list)),
                        ("retry_shard", models.BigIntegerField(default=0)),
                        ("arrival", models.CharField(default="unknown", max_length=10)),
                        ("arrival_at", models.DateTimeField(null=True)),
                        ("reading", models.CharField(default="none", max_length=16)),
                        ("reading_at", models.DateTimeField(null=True)),
                        ("unsubscribed_at", models.DateTimeField(null=True)),
                        ("replied_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["campaign", "position"], name="delivery_position"),
                            models.Index(
                                condition=models.Q(("trouble__isnull", False)),
                                fields=["campaign", "trouble", "position"],
                                name="delivery_trouble",
                            ),
                            models.Index(
                                condition=models.Q(("arrival", "unknown"), _negated=True),
                                fields=["campaign", "arrival", "position"],
                                name="delivery_arrival",
                            ),
                            models.Index(
                                condition=models.Q(("reading", "none"), _negated=True),
                                fields=["campaign", "reading", "position"],
                                name="delivery_reading",
                            ),
                            models.Index(
                                condition=models.Q(("replied_at__isnull", False)),
                                fields=["campaign", "position"],
                                name="delivery_replied",
                            ),
                            models.Index(
                                condition=models.Q(("unsubscribed_at__isnull", False)),
                                fields=["campaign", "position"],
                                name="delivery_unsubscribed",
                            ),
                            models.Index(fields=["workspace", "canonical"], name="delivery_address"),
                            models.Index(
                                condition=models.Q(("message__isnull", False)),
                                fields=["message"],
                                name="delivery_message",
                            ),
                            models.Index(fields=["contact"], name="delivery_contact"),
                            models.Index(
                                condition=models.Q(
                                    ("campaign__isnull", False),
                                    models.Q(
                                        ("contact__isnull", True),
                                        ("primary_canonical__isnull", False),
                                        _connector="OR",
                                    ),
                                ),
                                fields=["campaign", "position"],
                                name="delivery_loose",
                            ),
                            models.Index(
                                condition=models.Q(("retry_at__isnull", False)),
                                fields=["campaign", "retry_at"],
                                name="delivery_due",
                            ),
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Shard",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.CASCADE, to="postroom.campaign"
                            ),
                        ),
                        ("first", models.PositiveIntegerField(default=0)),
                        ("size", models.PositiveIntegerField()),
                        (
                            "delivery_ids",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), null=True, size=None
                            ),
                        ),
                        ("mark", models.PositiveIntegerField(default=0)),
                        ("epoch", models.PositiveIntegerField(default=0)),
                        ("step", models.PositiveIntegerField(default=0)),
                        ("worker", models.CharField(blank=True, max_length=80)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("ready_at", models.DateTimeField()),
                        ("is_done", models.BooleanField(default=False)),
                        ("accepted", models.IntegerField(default=0)),
                        ("failed", models.IntegerField(default=0)),
                        ("deferred", models.IntegerField(default=0)),
                        ("uncertain", models.IntegerField(default=0)),
                        ("skipped", models.IntegerField(default=0)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("is_done", False)), fields=["ready_at"], name="shard_open"
                            ),
                            models.Index(fields=["campaign"], name="shard_campaign"),
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="CampaignFigures",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.campaign"
                            ),
                        ),
                        ("lane", models.PositiveSmallIntegerField()),
                        ("accepted", models.IntegerField(default=0)),
                        ("failed", models.IntegerField(default=0)),
                        ("deferred", models.IntegerField(default=0)),
                        ("uncertain", models.IntegerField(default=0)),
                        ("skipped", models.IntegerField(default=0)),
                        ("delivered", models.IntegerField(default=0)),
                        ("relayed", models.IntegerField(default=0)),
                        ("expanded", models.IntegerField(default=0)),
                        ("delayed", models.IntegerField(default=0)),
                        ("bounced", models.IntegerField(default=0)),
                        ("displayed", models.IntegerField(default=0)),
                        ("deleted_unread", models.IntegerField(default=0)),
                        ("automatic", models.IntegerField(default=0)),
                        ("heuristic", models.IntegerField(default=0)),
                        ("unsubscribed", models.IntegerField(default=0)),
                        ("replied", models.IntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("campaign", "lane"), name="figures_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CampaignPace",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.campaign"
                            ),
                        ),
                        ("worker", models.CharField(max_length=80)),
                        ("slice_at", models.DateTimeField()),
                        ("decided", models.PositiveIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("campaign", "slice_at", "worker"), name="campaign_pace_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SendingMinute",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.account",
                            ),
                        ),
                        ("worker", models.CharField(max_length=80)),
                        ("minute_at", models.DateTimeField()),
                        ("accepted", models.PositiveIntegerField(default=0)),
                        ("deferred", models.PositiveIntegerField(default=0)),
                        ("failed", models.PositiveIntegerField(default=0)),
                        (
                            "shards",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("account", "minute_at", "worker"), name="sending_minute_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Worker",
                    fields=[
                        ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                        ("started_at", models.DateTimeField()),
                        ("seen_until", models.DateTimeField()),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Domain",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="domains",
                                to="postroom.workspace",
                            ),
                        ),
                        ("name", models.CharField(max_length=253)),
                        ("token", models.CharField(max_length=80)),
                        ("proved_at", models.DateTimeField(null=True)),
                        (
                            "proved_by",
                            models.CharField(
                                blank=True,
                                choices=[("", "None"), ("dns", "Dns"), ("word", "Word")],
                                default="",
                                max_length=4,
                            ),
                        ),
                        ("checks", models.JSONField(blank=True, default=dict)),
                        ("checked_at", models.DateTimeField(null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("workspace", "name"), name="domain_once"),
                            models.UniqueConstraint(
                                condition=models.Q(("proved_at__isnull", False)),
                                fields=("name",),
                                name="domain_proved_once",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DomainCheck",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "domain",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="asked",
                                to="postroom.domain",
                            ),
                        ),
                        ("state", models.CharField(default="waiting", max_length=8)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "waiting")),
                                fields=("domain",),
                                name="domain_check_waits_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DkimKey",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "domain",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="keys",
                                to="postroom.domain",
                            ),
                        ),
                        ("selector", models.CharField(max_length=63)),
                        ("algorithm", models.CharField(default="rsa2048", max_length=8)),
                        ("private_key", postroom.models.secret.SecretField(blank=True)),
                        ("public_key", models.TextField()),
                        (
                            "state",
                            models.CharField(
                                choices=[("next", "Next"), ("active", "Active"), ("retired", "Retired")],
                                default="next",
                                max_length=8,
                            ),
                        ),
                        ("seen", models.JSONField(blank=True, default=dict)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("published_at", models.DateTimeField(null=True)),
                        ("retired_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("domain", "selector"), name="dkim_selector_once"),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "active")),
                                fields=("domain",),
                                name="dkim_active_once",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "next")),
                                fields=("domain",),
                                name="dkim_next_once",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LocalAddress",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="local_addresses",
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "domain",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="addresses",
                                to="postroom.domain",
                            ),
                        ),
                        ("address", models.CharField(max_length=254)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("user", "User"),
                                    ("account", "Account"),
                                    ("alias", "Alias"),
                                    ("imported", "Imported"),
                                ],
                                max_length=8,
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="local_addresses",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="local_addresses",
                                to="postroom.account",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("workspace", "address"), name="local_address_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Draft",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.account",
                            ),
                        ),
                        ("to", models.TextField(blank=True)),
                        ("cc", models.TextField(blank=True)),
                        ("bcc", models.TextField(blank=True)),
                        ("subject", models.TextField(blank=True)),
                        ("html", models.TextField(blank=True)),
                        ("text", models.TextField(blank=True)),
                        (
                            "type",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.messagetype",
                            ),
                        ),
                        (
                            "conversation",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="drafts",
                                to="postroom.conversation",
                            ),
                        ),
                        (
                            "record",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.record",
                            ),
                        ),
                        ("picked", models.JSONField(default=dict)),
                        ("send_at", models.DateTimeField(null=True)),
                        (
                            "in_reply_to",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.message",
                            ),
                        ),
                        ("reply_id", models.TextField(blank=True)),
                        ("references", models.TextField(blank=True)),
                        (
                            "template",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.template",
                            ),
                        ),
                        ("inserted", models.TextField(blank=True)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        (
                            "message",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="draft",
                                to="postroom.message",
                            ),
                        ),
                        ("deleted_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["user", "-updated_at"], name="draft_newest")],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="DraftFile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "draft",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="files",
                                to="postroom.draft",
                            ),
                        ),
                        (
                            "blob",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("content_type", models.CharField(max_length=120)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Upload",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "draft",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="uploads",
                                to="postroom.draft",
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("content_type", models.CharField(max_length=120)),
                        ("size_bytes", models.BigIntegerField()),
                        ("offset", models.BigIntegerField(default=0)),
                        ("mark", models.CharField(max_length=64)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("draft", "mark"), name="upload_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Signature",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                            ),
                        ),
                        ("html", models.TextField(blank=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("workspace", "user", "account"),
                                name="signature_once",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.SET_NULL, to="postroom.account"
                            ),
                        ),
                        (
                            "collector",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.collector",
                            ),
                        ),
                        ("folder", models.CharField(blank=True, max_length=255)),
                        ("uidvalidity", models.BigIntegerField(default=0)),
                        ("uid", models.BigIntegerField(default=0)),
                        (
                            "raw",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("source", models.CharField(max_length=5)),
                        ("envelope_from", models.CharField(blank=True, max_length=254)),
                        ("envelope_to", models.CharField(blank=True, max_length=254)),
                        ("received_at", models.DateTimeField(auto_now_add=True)),
                        ("kind", models.CharField(blank=True, max_length=12)),
                        ("error", models.TextField(blank=True)),
                        ("subject", models.TextField(blank=True)),
                        ("from_address", models.CharField(blank=True, max_length=254)),
                        (
                            "strength",
                            models.CharField(
                                choices=[
                                    ("signed", "Signed"),
                                    ("named", "Named"),
                                    ("likely", "Likely"),
                                    ("none", "None"),
                                ],
                                default="none",
                                max_length=6,
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.campaign",
                            ),
                        ),
                        (
                            "message",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.SET_NULL, to="postroom.message"
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["workspace", "-received_at"], name="event_newest"),
                            models.Index(
                                condition=models.Q(("kind", "")), fields=["id"], name="event_waiting"
                            ),
                            models.Index(
                                condition=models.Q(
                                    ("message__isnull", True),
                                    ("strength__in", ("none", "likely")),
                                    models.Q(("kind", ""), _negated=True),
                                ),
                                fields=["workspace", "-received_at", "-id"],
                                name="event_loose",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("source", "imap")),
                                fields=("account", "folder", "uidvalidity", "uid"),
                                name="event_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EventReport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "event",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="reports",
                                to="postroom.event",
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "delivery",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="reports",
                                to="postroom.delivery",
                            ),
                        ),
                        ("kind", models.CharField(max_length=12)),
                        (
                            "strength",
                            models.CharField(
                                choices=[
                                    ("signed", "Signed"),
                                    ("named", "Named"),
                                    ("likely", "Likely"),
                                    ("none", "None"),
                                ],
                                default="none",
                                max_length=6,
                            ),
                        ),
                        ("found_by", models.CharField(blank=True, max_length=10)),
                        ("recipient", models.CharField(blank=True, max_length=254)),
                        ("action", models.CharField(blank=True, max_length=12)),
                        ("status", models.CharField(blank=True, max_length=12)),
                        ("code", models.CharField(blank=True, max_length=3)),
                        ("reason", models.CharField(blank=True, max_length=40)),
                        ("bounce_class", models.CharField(blank=True, max_length=16)),
                        ("words", models.TextField(blank=True)),
                        ("disposition", models.CharField(blank=True, max_length=200)),
                        ("at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("recipient", ""), _negated=True),
                                fields=["workspace", "recipient"],
                                name="report_recipient",
                            )
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="LogLine",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.SET_NULL, to="postroom.account"
                            ),
                        ),
                        ("at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("direction", models.CharField(blank=True, max_length=4)),
                        ("stage", models.CharField(blank=True, max_length=20)),
                        ("level", models.CharField(default="info", max_length=8)),
                        ("words", models.TextField(blank=True)),
                        ("message_id", models.CharField(blank=True, max_length=255)),
                        ("queue_id", models.CharField(blank=True, max_length=60)),
                        ("address", models.CharField(blank=True, max_length=254)),
                        ("duration_ms", models.PositiveIntegerField(null=True)),
                        ("line_hash", models.CharField(blank=True, max_length=64)),
                        ("source", models.CharField(blank=True, max_length=200)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["workspace", "-at", "-id"], name="log_newest"),
                            models.Index(
                                condition=models.Q(("level", "info"), _negated=True),
                                fields=["workspace", "-at", "-id"],
                                name="log_trouble",
                            ),
                            models.Index(
                                condition=models.Q(("address", ""), _negated=True),
                                fields=["workspace", "address"],
                                name="log_address",
                            ),
                            models.Index(
                                condition=models.Q(("message_id", ""), _negated=True),
                                fields=["workspace", "message_id"],
                                name="log_message",
                            ),
                            models.Index(
                                condition=models.Q(("queue_id", ""), _negated=True),
                                fields=["workspace", "queue_id"],
                                name="log_queue",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("line_hash", ""), _negated=True),
                                fields=("workspace", "line_hash"),
                                name="log_line_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Exclusion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="workspace",
                                max_length=10,
                            ),
                        ),
                        (
                            "everyone",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6),
                                default=postroom.models.exclusion._everyone,
                                size=None,
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="exclusions",
                                to="postroom.workspace",
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "source",
                            models.CharField(
                                choices=[("text", "Text"), ("url", "Url"), ("file", "File")],
                                default="text",
                                max_length=4,
                            ),
                        ),
                        ("place", models.CharField(blank=True, max_length=2000)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("size", models.PositiveIntegerField(default=0)),
                        ("refused", models.PositiveIntegerField(default=0)),
                        ("refused_lines", models.JSONField(default=list)),
                        ("asked_at", models.DateTimeField(null=True)),
                        ("read_at", models.DateTimeField(null=True)),
                        ("error", models.TextField(blank=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "abstract": False,
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="ExclusionEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "exclusion",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="entries",
                                to="postroom.exclusion",
                            ),
                        ),
                        ("is_domain", models.BooleanField()),
                        ("value", models.CharField(max_length=254)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("exclusion", "is_domain", "value"), name="exclusion_entry_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CampaignExclusion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="exclusion_steps",
                                to="postroom.campaign",
                            ),
                        ),
                        ("sets", models.JSONField(default=list)),
                        ("people", models.PositiveIntegerField(default=0)),
                        (
                            "list_ids",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        ("last_member", models.BigIntegerField(default=0)),
                        (
                            "by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="CampaignOmission",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "step",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="omissions",
                                to="postroom.campaignexclusion",
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.campaign",
                            ),
                        ),
                        (
                            "contact",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.contact",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("campaign", "contact"), name="omission_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Group",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="groups",
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "domain",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="groups",
                                to="postroom.domain",
                            ),
                        ),
                        ("name", models.CharField(max_length=64)),
                        ("address", models.CharField(max_length=254)),
                        ("real_name", models.CharField(blank=True, max_length=120)),
                        ("description", models.TextField(blank=True)),
                        (
                            "account",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.account",
                            ),
                        ),
                        ("set_reply_to", models.BooleanField(default=True)),
                        ("expand", models.BooleanField(default=True)),
                        ("remove_author", models.BooleanField(default=True)),
                        ("reject_automatic", models.BooleanField(default=True)),
                        ("remove_to_and_cc", models.BooleanField(default=True)),
                        ("email_disabled", models.BooleanField(default=False)),
                        ("final_delivery", models.BooleanField(default=False)),
                        ("signal_disabled", models.BooleanField(default=False)),
                        ("include_external_author", models.BooleanField(default=True)),
                        ("verify_to_cc", models.BooleanField(default=False)),
                        (
                            "who_may_post",
                            models.CharField(
                                choices=[
                                    ("anyone", "Anyone"),
                                    ("members", "Members"),
                                    ("named", "Named"),
                                    ("approved", "Approved"),
                                ],
                                default="anyone",
                                max_length=8,
                            ),
                        ),
                        ("size_max", models.PositiveIntegerField(default=0)),
                        ("archive", models.BooleanField(default=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                        ("quarantined_until", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("deleted_at", None)),
                                fields=("address",),
                                name="group_address_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GroupMember",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "group",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="members",
                                to="postroom.group",
                            ),
                        ),
                        ("address", models.CharField(max_length=254)),
                        ("name", models.CharField(blank=True, max_length=200)),
                        (
                            "subgroup",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="parents",
                                to="postroom.group",
                            ),
                        ),
                        (
                            "local_address",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="group_members",
                                to="postroom.localaddress",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("active", "Active"),
                                    ("paused", "Paused"),
                                    ("unconfirmed", "Unconfirmed"),
                                ],
                                default="active",
                                max_length=11,
                            ),
                        ),
                        ("state_words", models.TextField(blank=True)),
                        ("failures", models.PositiveSmallIntegerField(default=0)),
                        (
                            "added_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("group", "address"), name="group_member_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GroupPerson",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "group",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="people",
                                to="postroom.group",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("address", models.CharField(blank=True, max_length=254)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("group", "user", "address"),
                                name="group_person_once",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Posting",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "group",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="postings",
                                to="postroom.group",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("taken", "Taken"),
                                    ("held", "Held"),
                                    ("sent", "Sent"),
                                    ("dropped", "Dropped"),
                                    ("refused", "Refused"),
                                ],
                                default="taken",
                                max_length=8,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=40)),
                        (
                            "raw",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        (
                            "message",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="posting",
                                to="postroom.message",
                            ),
                        ),
                        ("envelope_from", models.CharField(blank=True, max_length=254)),
                        ("author", models.CharField(blank=True, max_length=254)),
                        ("author_name", models.CharField(blank=True, max_length=200)),
                        ("subject", models.TextField(blank=True)),
                        ("msgid", models.CharField(blank=True, max_length=255)),
                        (
                            "first",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.posting",
                            ),
                        ),
                        ("outside_author", models.CharField(blank=True, max_length=254)),
                        ("size_bytes", models.PositiveIntegerField(default=0)),
                        ("notify", models.CharField(blank=True, max_length=40)),
                        ("orcpt", models.CharField(blank=True, max_length=500)),
                        ("envid", models.CharField(blank=True, max_length=100)),
                        ("ret", models.CharField(blank=True, max_length=4)),
                        ("options", models.JSONField(default=dict)),
                        ("peer", models.CharField(blank=True, max_length=300)),
                        (
                            "recipients",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=254), default=list, size=None
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="children",
                                to="postroom.posting",
                            ),
                        ),
                        ("front", models.TextField(blank=True)),
                        (
                            "cuts",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveIntegerField(), default=list, size=None
                            ),
                        ),
                        (
                            "decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("decided_at", models.DateTimeField(null=True)),
                        ("taken_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["group", "-id"], name="posting_newest"),
                            models.Index(
                                condition=models.Q(("msgid", ""), _negated=True),
                                fields=["msgid"],
                                name="posting_msgid",
                            ),
                            models.Index(
                                condition=models.Q(("state", "taken")), fields=["id"], name="posting_open"
                            ),
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="PostingNews",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "delivery",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="postroom.delivery",
                            ),
                        ),
                        (
                            "posting",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="news",
                                to="postroom.posting",
                            ),
                        ),
                        ("action", models.CharField(max_length=9)),
                        ("told_at", models.DateTimeField(null=True)),
                        ("at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("told_at", None)), fields=["id"], name="posting_news_open"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("delivery", "action"), name="posting_news_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Placement",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "folder",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="placements",
                                to="postroom.collector",
                            ),
                        ),
                        ("uidvalidity", models.BigIntegerField()),
                        ("uid", models.BigIntegerField()),
                        (
                            "message",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="placements",
                                to="postroom.message",
                            ),
                        ),
                        ("is_seen", models.BooleanField(default=False)),
                        ("is_answered", models.BooleanField(default=False)),
                        ("is_flagged", models.BooleanField(default=False)),
                        ("is_receipt_sent", models.BooleanField(default=False)),
                        ("gone_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("folder", "uidvalidity", "uid"), name="placement_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MailboxChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mailbox_changes",
                                to="postroom.account",
                            ),
                        ),
                        ("action", models.CharField(max_length=12)),
                        (
                            "placement",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="changes",
                                to="postroom.placement",
                            ),
                        ),
                        (
                            "message",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="postroom.message",
                            ),
                        ),
                        (
                            "folder",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="postroom.collector",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("next_at", models.DateTimeField()),
                        ("done_at", models.DateTimeField(null=True)),
                        ("error", models.TextField(blank=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("done_at__isnull", True)),
                                fields=["account", "id"],
                                name="mailbox_change_open",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("action", "append")),
                                fields=("message",),
                                name="mailbox_append_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Message",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "account",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.SET_NULL, to="postroom.account"
                            ),
                        ),
                        ("direction", models.CharField(max_length=3)),
                        ("purpose", models.CharField(default="other", max_length=10)),
                        (
                            "raw",
                            models.ForeignKey(
                                null=True, on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("message_id", models.CharField(blank=True, max_length=255)),
                        ("subject", models.TextField(blank=True)),
                        ("from_address", models.CharField(blank=True, max_length=254)),
                        ("to_address", models.TextField(blank=True)),
                        ("cc_address", models.TextField(blank=True)),
                        ("bcc_address", models.TextField(blank=True)),
                        ("people", models.JSONField(default=dict)),
                        ("send_key", models.CharField(blank=True, max_length=100)),
                        ("send_at", models.DateTimeField(null=True)),
                        (
                            "campaign",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.campaign",
                            ),
                        ),
                        (
                            "delivery",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.delivery",
                            ),
                        ),
                        (
                            "type",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.messagetype",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.template",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("is_read", models.BooleanField(default=False)),
                        (
                            "conversation",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="messages",
                                to="postroom.conversation",
                            ),
                        ),
                        ("at", models.DateTimeField(null=True)),
                        ("from_name", models.CharField(blank=True, max_length=200)),
                        ("in_reply_to", models.CharField(blank=True, max_length=255)),
                        (
                            "references",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=255), default=list, size=None
                            ),
                        ),
                        ("snippet", models.CharField(blank=True, max_length=200)),
                        ("size_bytes", models.PositiveIntegerField(default=0)),
                        ("files", models.JSONField(default=list)),
                        ("is_automatic", models.BooleanField(default=False)),
                        ("receipt_to", models.CharField(blank=True, max_length=254)),
                        ("receipt_state", models.CharField(blank=True, max_length=8)),
                        (
                            "record",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="messages",
                                to="postroom.record",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["workspace", "-created_at"], name="message_newest"),
                            models.Index(fields=["conversation", "at"], name="message_thread"),
                            models.Index(
                                condition=models.Q(("direction", "out"), ("purpose", "single")),
                                fields=["workspace", "-created_at", "-id"],
                                name="message_sent",
                            ),
                            models.Index(
                                condition=models.Q(("direction", "out"), ("purpose", "single")),
                                fields=["workspace", "user", "-created_at", "-id"],
                                name="message_sent_by",
                            ),
                            models.Index(
                                condition=models.Q(("message_id", ""), _negated=True),
                                fields=["workspace", "message_id"],
                                name="message_by_id",
                            ),
                            models.Index(
                                condition=models.Q(("in_reply_to", ""), _negated=True),
                                fields=["workspace", "in_reply_to"],
                                name="message_answers",
                            ),
                            models.Index(
                                condition=models.Q(("direction", "in"), ("is_read", False)),
                                fields=["workspace", "account"],
                                name="message_unread",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("send_key", ""), _negated=True),
                                fields=("workspace", "user", "send_key"),
                                name="message_send_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MessageType",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="workspace",
                                max_length=10,
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="message_types",
                                to="postroom.workspace",
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                        (
                            "everyone",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6),
                                default=postroom.models.message_type._everyone,
                                size=None,
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Record",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="records",
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("contractor", "Contractor"),
                                    ("document", "Document"),
                                    ("opportunity", "Opportunity"),
                                    ("process", "Process"),
                                    ("link", "Link"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        ("number", models.CharField(blank=True, max_length=60)),
                        ("external_type", models.CharField(blank=True, max_length=60)),
                        ("external_id", models.CharField(blank=True, max_length=120)),
                        ("url", models.CharField(blank=True, max_length=500)),
                        (
                            "parent",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="children",
                                to="postroom.record",
                            ),
                        ),
                        ("fields", models.JSONField(default=dict)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                        ("search", models.TextField(blank=True, db_collation="C")),
                        ("sort_key", models.CharField(blank=True, db_collation="C", max_length=200)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["workspace", "sort_key", "id"], name="record_sort")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(
                                    ("deleted_at", None), models.Q(("external_id", ""), _negated=True)
                                ),
                                fields=("workspace", "external_type", "external_id"),
                                name="record_external_once",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RecordKey",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        ("key", models.CharField(max_length=60)),
                        ("records", models.PositiveIntegerField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("workspace", "key"), name="record_key_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RecordPerson",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "record",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="people",
                                to="postroom.record",
                            ),
                        ),
                        (
                            "contact",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="records",
                                to="postroom.contact",
                            ),
                        ),
                        ("position", models.PositiveSmallIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("record", "contact"), name="record_person_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RecordFile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "record",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="files",
                                to="postroom.record",
                            ),
                        ),
                        (
                            "blob",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("content_type", models.CharField(max_length=120)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Signal",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "group",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="signals",
                                to="postroom.group",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("text", models.CharField(max_length=280)),
                        ("sent_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="SignalCopy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "signal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="copies",
                                to="postroom.signal",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("seen_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("seen_at", None)),
                                fields=["user", "signal"],
                                name="signal_unseen",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("signal", "user"), name="signal_copy_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Channel",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="channels",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("push", "Push"),
                                    ("webhook", "Webhook"),
                                    ("chat", "Chat"),
                                    ("apprise", "Apprise"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("title", models.CharField(blank=True, max_length=120)),
                        ("address", postroom.models.secret.SecretField()),
                        ("mark", models.CharField(max_length=64)),
                        ("failures", models.PositiveSmallIntegerField(default=0)),
                        ("words", models.TextField(blank=True)),
                        ("used_at", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "mark"), name="channel_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SignalSend",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "signal",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="postroom.signal",
                            ),
                        ),
                        (
                            "channel",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="postroom.channel",
                            ),
                        ),
                        ("at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("signal", "channel"), name="signal_send_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Suppression",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "form",
                            models.CharField(
                                choices=[
                                    ("address", "Address"),
                                    ("domain", "Domain"),
                                    ("subdomains", "Subdomains"),
                                    ("local", "Local"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("value", models.CharField(max_length=254)),
                        (
                            "owner",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "contact_list",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to="postroom.contactlist",
                            ),
                        ),
                        (
                            "source",
                            models.CharField(
                                choices=[
                                    ("manual", "Manual"),
                                    ("unsubscribe", "Unsubscribe"),
                                    ("complaint", "Complaint"),
                                    ("bounce", "Bounce"),
                                    ("import", "Import"),
                                ],
                                max_length=12,
                            ),
                        ),
                        ("why", models.TextField(blank=True)),
                        (
                            "by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "event",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to="postroom.event",
                            ),
                        ),
                        ("at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("owner__isnull", True)),
                                fields=["source", "workspace", "id"],
                                name="suppression_listed",
                            ),
                            models.Index(
                                condition=models.Q(("owner__isnull", False)),
                                fields=["owner", "source", "id"],
                                name="suppression_own",
                            ),
                            models.Index(
                                condition=models.Q(("form", "subdomains")),
                                fields=["workspace"],
                                name="suppression_subdomains",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("workspace", "value", "form", "owner", "contact_list", "source"),
                                name="suppression_once",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SuppressionImport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "owner",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "file",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("file_name", models.CharField(max_length=255)),
                        ("why", models.TextField(blank=True)),
                        ("state", models.CharField(default="running", max_length=10)),
                        ("lines", models.PositiveIntegerField(default=0)),
                        ("done", models.PositiveIntegerField(default=0)),
                        ("accepted", models.PositiveIntegerField(default=0)),
                        ("duplicates", models.PositiveIntegerField(default=0)),
                        ("rejected", models.PositiveIntegerField(default=0)),
                        ("error", models.TextField(blank=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="SuppressionLineError",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="line_errors",
                                to="postroom.suppressionimport",
                            ),
                        ),
                        ("line", models.PositiveIntegerField()),
                        ("text", models.CharField(blank=True, max_length=100)),
                        ("reason", models.CharField(max_length=300)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Template",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="workspace",
                                max_length=10,
                            ),
                        ),
                        (
                            "everyone",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=6),
                                default=postroom.models.template._everyone,
                                size=None,
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("subject", models.TextField(blank=True)),
                        ("html", models.TextField(blank=True)),
                        ("text", models.TextField(blank=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("updated_at", models.DateTimeField(auto_now=True)),
                        ("deleted_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "abstract": False,
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="TemplateVersion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="versions",
                                to="postroom.template",
                            ),
                        ),
                        ("version", models.PositiveIntegerField()),
                        ("name", models.CharField(max_length=120)),
                        ("subject", models.TextField(blank=True)),
                        ("html", models.TextField(blank=True)),
                        ("text", models.TextField(blank=True)),
                        (
                            "saved_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("saved_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("template", "version"), name="template_version_once"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TemplateDefault",
                    fields=[
                        (
                            "profile",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                serialize=False,
                                to="postroom.profile",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="default_of",
                                to="postroom.template",
                            ),
                        ),
                        ("set_at", models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="TemplateFile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="files",
                                to="postroom.template",
                            ),
                        ),
                        (
                            "blob",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("content_type", models.CharField(max_length=120)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="UndoStep",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("noun", models.CharField(max_length=20)),
                        ("rows", models.JSONField(default=list)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="User",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("password", models.CharField(max_length=128, verbose_name="password")),
                        (
                            "last_login",
                            models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                        ),
                        (
                            "is_superuser",
                            models.BooleanField(
                                default=False,
                                help_text="Designates that this user has all permissions without explicitly assigning them.",
                                verbose_name="superuser status",
                            ),
                        ),
                        ("email", models.EmailField(max_length=254, unique=True)),
                        ("name", models.CharField(blank=True, max_length=120)),
                        ("language", models.CharField(default="en", max_length=5)),
                        ("time_zone", models.CharField(default="Europe/Warsaw", max_length=64)),
                        ("theme", models.CharField(default="auto", max_length=6)),
                        ("single_keys", models.BooleanField(default=True)),
                        ("is_active", models.BooleanField(default=True)),
                        ("is_staff", models.BooleanField(default=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "groups",
                            models.ManyToManyField(
                                blank=True,
                                help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.group",
                                verbose_name="groups",
                            ),
                        ),
                        (
                            "user_permissions",
                            models.ManyToManyField(
                                blank=True,
                                help_text="Specific permissions for this user.",
                                related_name="user_set",
                                related_query_name="user",
                                to="auth.permission",
                                verbose_name="user permissions",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Webhook",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="webhooks",
                                to="postroom.workspace",
                            ),
                        ),
                        ("url", models.CharField(max_length=500)),
                        ("secret", postroom.models.secret.SecretField()),
                        ("old_secret", postroom.models.secret.SecretField(blank=True)),
                        ("old_secret_until", models.DateTimeField(null=True)),
                        (
                            "events",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=30), default=list, size=None
                            ),
                        ),
                        ("is_on", models.BooleanField(default=True)),
                        ("error", models.TextField(blank=True)),
                        ("failing_since", models.DateTimeField(null=True)),
                        ("rests_until", models.DateTimeField(null=True)),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="WebhookCall",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "webhook",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="calls",
                                to="postroom.webhook",
                            ),
                        ),
                        ("event", models.CharField(max_length=30)),
                        ("body", models.JSONField()),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("next_at", models.DateTimeField()),
                        ("is_given_up", models.BooleanField(default=False)),
                        ("done_at", models.DateTimeField(null=True)),
                        ("code", models.PositiveSmallIntegerField(default=0)),
                        ("words", models.TextField(blank=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["webhook", "-id"], name="webhook_call_newest"),
                            models.Index(
                                condition=models.Q(("done_at__isnull", True)),
                                fields=["webhook", "next_at"],
                                name="webhook_call_due",
                            ),
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Instance",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("url", models.CharField(blank=True, max_length=200)),
                        ("allow_private_hosts", models.BooleanField(default=False)),
                        ("relay_host", models.CharField(blank=True, max_length=253)),
                        ("relay_port", models.PositiveIntegerField(default=25)),
                        ("relay_security", models.CharField(default="starttls", max_length=10)),
                        ("relay_login", models.CharField(blank=True, max_length=254)),
                        ("relay_password", postroom.models.secret.SecretField(blank=True)),
                        ("relay_verify_certificate", models.BooleanField(default=True)),
                        ("parallel_runs", models.PositiveIntegerField(default=0)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Workspace",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=120)),
                        ("language", models.CharField(default="en", max_length=5)),
                        ("time_zone", models.CharField(default="Europe/Warsaw", max_length=64)),
                        ("bounce_host", models.CharField(blank=True, max_length=253)),
                        (
                            "notice_account",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.account",
                            ),
                        ),
                        ("allow_clear_text_login", models.BooleanField(default=False)),
                        (
                            "default_visibility",
                            models.CharField(
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="workspace",
                                max_length=10,
                            ),
                        ),
                        ("suppression_policy", models.CharField(default="both", max_length=8)),
                        (
                            "blocked_files",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=20),
                                blank=True,
                                default=postroom.models.workspace.blocked_by_default,
                                size=None,
                            ),
                        ),
                        ("seats", models.PositiveIntegerField(default=0)),
                        ("parallel_runs", models.PositiveIntegerField(default=0)),
                        ("parallel_runs_each", models.PositiveIntegerField(default=0)),
                        ("per_minute", models.PositiveIntegerField(default=0)),
                        ("per_hour", models.PositiveIntegerField(default=0)),
                        ("per_day", models.PositiveIntegerField(default=0)),
                        ("approve_below", models.PositiveIntegerField(default=0)),
                        ("log_days", models.PositiveSmallIntegerField(default=90)),
                        ("version", models.PositiveIntegerField(default=1)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="Membership",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to="postroom.workspace",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "role",
                            models.CharField(
                                choices=[("owner", "Owner"), ("admin", "Admin"), ("member", "Member")],
                                default="member",
                                max_length=10,
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True)),
                        ("seen_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "place",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("private", "Private"),
                                    ("profiles", "Profiles"),
                                    ("workspace", "Workspace"),
                                ],
                                default="",
                                max_length=10,
                            ),
                        ),
                        (
                            "place_profile",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="postroom.profile",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("workspace", "user"), name="membership_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AuditLine",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "workspace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("at", models.DateTimeField(auto_now_add=True)),
                        ("verb", models.CharField(max_length=60)),
                        ("noun", models.CharField(max_length=40)),
                        ("noun_id", models.BigIntegerField(null=True)),
                        ("details", models.JSONField(default=dict)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["workspace", "noun", "noun_id"], name="audit_noun"),
                            models.Index(fields=["workspace", "-id"], name="audit_newest"),
                        ],
                        "constraints": [],
                    },
                ),
            ]
        ),
        # Rows that are changed with each message have room beside them (HOT updates).
        migrations.RunSQL(
            "ALTER TABLE postroom_delivery SET (fillfactor = 45); "
            "ALTER TABLE postroom_shard SET (fillfactor = 40); "
            "ALTER TABLE postroom_campaignfigures SET (fillfactor = 20);",
            migrations.RunSQL.noop,
        ),
    ]
