"""Gathers every table for Django."""

from postroom.models.account import (
    Account,
    AccountRest,
    Collector,
    ConnectionLease,
    Discovery,
    LimitBucket,
    PopMail,
    Probe,
    WorkspaceBucket,
)
from postroom.models.blob import Blob
from postroom.models.campaign import Attachment, Campaign
from postroom.models.contact import (
    AttributeKey,
    Contact,
    ContactList,
    ContactSearch,
    ImportRowError,
    ImportRun,
    ImportUndo,
    ListMember,
)
from postroom.models.conversation import Conversation, MessageWords, Note, PictureTrust, Presence
from postroom.models.delivery import CampaignFigures, CampaignPace, Delivery, SendingMinute, Shard, Worker
from postroom.models.domain import DkimKey, Domain, DomainCheck, LocalAddress
from postroom.models.draft import Draft, DraftFile, Signature, Upload
from postroom.models.event import Event, EventReport, LogLine
from postroom.models.exclusion import CampaignExclusion, CampaignOmission, Exclusion, ExclusionEntry
from postroom.models.group import Group, GroupMember, GroupPerson, Posting, PostingNews
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import ApiToken, Invitation, Profile, ProfileMember, Share, TokenCalls
from postroom.models.record import Record, RecordFile, RecordKey, RecordPerson
from postroom.models.search import SearchDue, SearchGrams
from postroom.models.signal import Channel, Signal, SignalCopy, SignalSend
from postroom.models.suppression import Suppression, SuppressionImport, SuppressionLineError
from postroom.models.template import Template, TemplateDefault, TemplateFile, TemplateVersion
from postroom.models.undo import UndoStep
from postroom.models.user import User
from postroom.models.webhook import Webhook, WebhookCall
from postroom.models.workspace import AuditLine, Instance, Membership, Workspace

__all__ = [
    "Account",
    "AccountRest",
    "ApiToken",
    "Attachment",
    "AttributeKey",
    "AuditLine",
    "Blob",
    "Campaign",
    "CampaignExclusion",
    "CampaignFigures",
    "CampaignOmission",
    "CampaignPace",
    "Channel",
    "Collector",
    "ConnectionLease",
    "Contact",
    "ContactList",
    "ContactSearch",
    "Conversation",
    "Delivery",
    "Discovery",
    "DkimKey",
    "Domain",
    "DomainCheck",
    "Draft",
    "DraftFile",
    "Event",
    "EventReport",
    "Exclusion",
    "ExclusionEntry",
    "Group",
    "GroupMember",
    "GroupPerson",
    "ImportRowError",
    "ImportRun",
    "ImportUndo",
    "Instance",
    "Invitation",
    "LimitBucket",
    "ListMember",
    "LocalAddress",
    "LogLine",
    "MailboxChange",
    "Membership",
    "Message",
    "MessageType",
    "MessageWords",
    "Note",
    "PictureTrust",
    "Placement",
    "PopMail",
    "Posting",
    "PostingNews",
    "Presence",
    "Probe",
    "Profile",
    "ProfileMember",
    "Record",
    "RecordFile",
    "RecordKey",
    "RecordPerson",
    "SearchDue",
    "SearchGrams",
    "SendingMinute",
    "Shard",
    "Share",
    "Signal",
    "SignalCopy",
    "SignalSend",
    "Signature",
    "Suppression",
    "SuppressionImport",
    "SuppressionLineError",
    "Template",
    "TemplateDefault",
    "TemplateFile",
    "TemplateVersion",
    "TokenCalls",
    "UndoStep",
    "Upload",
    "User",
    "Webhook",
    "WebhookCall",
    "Worker",
    "Workspace",
    "WorkspaceBucket",
]
