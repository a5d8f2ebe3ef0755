"""Which suppressions are in force, and the one condition by which dispatch, audience, people and imports ask for it.

The policy of the workspace (docs/adr/0009): "both" = all; "shared" = personal entries sleep; "personal" = shared ones
that people made sleep, those that came by themselves never do.
"""

from django.db.models import Q

#: Sources that people cannot hide by any policy: what a recipient or their server said.
BY_THEMSELVES = ("unsubscribe", "complaint", "bounce")

_POLICY = "(SELECT suppression_policy FROM postroom_workspace WHERE id = %(workspace)s)"
_SAID = ", ".join(f"'{source}'" for source in BY_THEMSELVES)


def in_force(user_id: int | None = None) -> Q:
    """Entries of a workspace that hold for mail this person starts; None = the shared ones only."""
    shared = Q(owner=None) & (~Q(workspace__suppression_policy="personal") | Q(source__in=BY_THEMSELVES))
    if user_id is None:
        return shared
    return shared | (Q(owner=user_id) & ~Q(workspace__suppression_policy="shared"))


def in_force_sql(user: str = "NULL", owner: str = "s.owner_id") -> str:
    """The same for rows `s` in SQL. user: an expression, the id of who sends. Parameter: workspace."""
    return (
        f"(({owner} IS NULL AND (s.source IN ({_SAID}) OR {_POLICY} <> 'personal'))"
        f" OR ({owner} = {user} AND {_POLICY} <> 'shared'))"
    )


#: Asked once a statement; most firms have none, and then no row is compared with any.
_ANY_SUBDOMAINS = (
    "(SELECT EXISTS (SELECT 1 FROM postroom_suppression any_sub"
    " WHERE any_sub.workspace_id = %(workspace)s AND any_sub.form = 'subdomains'))"
)


def blocked(contact: str, user: str = "NULL", lists: str = "s.contact_list_id IS NULL") -> str:
    """SQL: whether an entry in force covers `<contact>.canonical`, each form looked up in a hash.

    Parameters: workspace, and those of `user` and `lists` (a condition on rows `s`).
    """

    def values(form: str, more: str = "") -> str:
        return (
            f"(SELECT s.value FROM postroom_suppression s WHERE s.workspace_id = %(workspace)s"
            f" AND s.form = '{form}' AND {lists} AND {in_force_sql(user)}{more})"
        )

    domain = f"split_part({contact}.canonical, '@', 2)"
    under = f" AND right({domain}, length(s.value) + 1) = '.' || s.value"
    return (
        f"({contact}.canonical IN {values('address')} OR {domain} IN {values('domain')}"
        f" OR split_part({contact}.canonical, '@', 1) IN {values('local')}"
        f" OR ({_ANY_SUBDOMAINS} AND EXISTS {values('subdomains', under)}))"
    )


#: The same as s.owner_id (ids begin at 1), but no index knows it: the one on (workspace, value) is to be taken,
#: whatever the planner believes of a table nobody has analysed yet.
_OWNER = "nullif(s.owner_id, 0)"
#: Who sends delivery `d`: whoever started its campaign `c`, or wrote the message.
_SENDER = "coalesce(c.started_by_id, (SELECT m.user_id FROM postroom_message m WHERE m.id = d.message_id))"


def _covers(address: str) -> str:
    """A condition on rows `s`: form and value fit the address. A few steps down the index on (workspace, value)."""
    local, domain = f"split_part({address}, '@', 1)", f"split_part({address}, '@', 2)"
    return f"""s.workspace_id = %(workspace)s
     AND s.value = ANY(ARRAY[{address}, {local}, {domain}]
         || ARRAY(SELECT substring({domain} FROM dot + 1)
                    FROM generate_series(1, length({address})) AS dot
                   WHERE {_ANY_SUBDOMAINS} AND substring({domain} FROM dot FOR 1) = '.'))
     AND ((s.form = 'address' AND s.value = {address})
       OR (s.form = 'local' AND s.value = {local})
       OR (s.form = 'domain' AND s.value = {domain})
       OR (s.form = 'subdomains' AND {domain} LIKE '%%.' || s.value))"""


def blocked_one(contact: str, user: str = "NULL") -> str:
    """SQL: what `blocked` says, looked up for each contact by itself: for a few thousand of them at most."""
    return (
        f"EXISTS (SELECT 1 FROM postroom_suppression s WHERE {_covers(f'{contact}.canonical')}"
        f" AND s.contact_list_id IS NULL AND {in_force_sql(user, _OWNER)})"
    )


def _covering(address: str, more: str = "") -> str:
    """The entries in force that cover an address of delivery `d` of campaign `c`: a skip reason and its rank each."""
    return f"""
  SELECT CASE s.source WHEN 'unsubscribe' THEN 'unsubscribed' WHEN 'bounce' THEN 'hard_bounced'
         ELSE CASE WHEN s.owner_id IS NULL THEN 'suppressed_shared' ELSE 'suppressed_personal' END END AS reason,
         CASE s.source WHEN 'unsubscribe' THEN 3 WHEN 'bounce' THEN 5
         ELSE CASE WHEN s.owner_id IS NULL THEN 1 ELSE 2 END END AS rank
    FROM postroom_suppression s
   WHERE {_covers(address)}{more}
     AND {in_force_sql(_SENDER, _OWNER)}
     AND (s.contact_list_id IS NULL OR s.contact_list_id IN (
           SELECT cl.contactlist_id FROM postroom_campaign_lists cl WHERE cl.campaign_id = d.campaign_id))"""


# Joined to deliveries `d` of campaigns `c`: for each row a few steps down the index on (workspace, value), within the
# statement that loads a mini-batch (DESIGN 4.4). The parents of a domain are looked up only where the workspace has
# entries for subdomains; the contact's own address only where a detail took its place (SA-11). Of single mails those
# that people write are held to it too, system mail and tests are not (SX-02). Parameter: workspace.
SUPPRESSED = f"""
LEFT JOIN LATERAL (
  SELECT reason FROM ({_covering("d.canonical")}
  UNION ALL {_covering("d.primary_canonical", " AND d.primary_canonical IS NOT NULL")}) AS covering
   ORDER BY rank LIMIT 1) sup ON d.campaign_id IS NOT NULL
  OR (SELECT m.purpose FROM postroom_message m WHERE m.id = d.message_id) = 'single'
"""
