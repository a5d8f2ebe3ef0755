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
from postroom.models.delivery import CampaignFigures, CampaignPace, Delivery, Shard, Worker
from postroom.models.domain import DkimKey, Domain, DomainCheck, LocalAddress
from postroom.models.draft import Draft, DraftFile
from postroom.models.event import Event, EventReport, LogLine
from postroom.models.exclusion import CampaignExclusion, CampaignOmission, Exclusion, ExclusionEntry
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import ApiToken, Invitation, Profile, ProfileMember, Share
from postroom.models.suppression import Suppression, SuppressionImport, SuppressionLineError
from postroom.models.template import Template, TemplateDefault, TemplateVersion
from postroom.models.undo import UndoStep
from postroom.models.user import User
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
    "Collector",
    "ConnectionLease",
    "Contact",
    "ContactList",
    "ContactSearch",
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
    "ImportRowError",
    "ImportRun",
    "ImportUndo",
    "Instance",
    "Invitation",
    "LimitBucket",
    "ListMember",
    "LocalAddress",
    "LogLine",
    "Membership",
    "Message",
    "MessageType",
    "PopMail",
    "Probe",
    "Profile",
    "ProfileMember",
    "Shard",
    "Share",
    "Suppression",
    "SuppressionImport",
    "SuppressionLineError",
    "Template",
    "TemplateDefault",
    "TemplateVersion",
    "UndoStep",
    "User",
    "Worker",
    "Workspace",
    "WorkspaceBucket",
]
