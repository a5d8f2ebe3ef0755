"""Large mail providers: their servers, what sign-in they take, and how much they let go out.

Facts of their public help pages; limits are those they name, else 0. A host of another name that serves a domain is
recognised by its MX records.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """A server of one side. security: none, starttls or tls."""

    host: str
    port: int
    security: str


@dataclass(frozen=True, slots=True)
class Provider:
    """domains: addresses it serves; mx: ends of host names that serve other domains.

    hint:   app_password: the usual password is refused for programs; oauth: no password works.
    limits: of an account, by field: per_minute, per_hour, per_day, per_span with span_minutes.
    """

    name: str
    imap: Place
    smtp: Place
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    hint: str = ""
    limits: dict[str, int] = field(default_factory=dict)


def _tls(host: str) -> tuple[Place, Place]:
    return Place(host, 993, "tls"), Place(host, 465, "tls")


def _pair(imap: str, smtp: str, port: int = 465) -> tuple[Place, Place]:
    return Place(imap, 993, "tls"), Place(smtp, port, "tls" if port == 465 else "starttls")


PROVIDERS = (
    Provider(
        "Gmail",
        *_pair("imap.gmail.com", "smtp.gmail.com"),
        domains=("gmail.com", "googlemail.com"),
        hint="app_password",
        limits={"per_day": 500},
    ),
    Provider(
        "Google Workspace",
        *_pair("imap.gmail.com", "smtp.gmail.com"),
        mx=("google.com", "googlemail.com"),
        hint="app_password",
        limits={"per_day": 2000},
    ),
    Provider(
        "Outlook.com",
        *_pair("outlook.office365.com", "smtp-mail.outlook.com", 587),
        domains=("outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.pl"),
        hint="oauth",
        limits={"per_day": 300},
    ),
    Provider(
        "Microsoft 365",
        *_pair("outlook.office365.com", "smtp.office365.com", 587),
        mx=("mail.protection.outlook.com", "mx.microsoft"),
        hint="oauth",
        limits={"per_minute": 30, "per_day": 10_000},
    ),
    Provider("WP Poczta", *_pair("imap.wp.pl", "smtp.wp.pl"), domains=("wp.pl",), limits={"per_day": 500}),
    Provider(
        "o2 Poczta",
        *_tls("poczta.o2.pl"),
        domains=("o2.pl", "tlen.pl", "go2.pl", "prokonto.pl"),
        limits={"per_day": 500},
    ),
    Provider(
        "Onet Poczta",
        *_pair("imap.poczta.onet.pl", "smtp.poczta.onet.pl"),
        domains=(
            *("onet.pl", "op.pl", "vp.pl", "onet.eu", "onet.com.pl", "poczta.onet.pl", "poczta.onet.eu"),
            *("autograf.pl", "buziaczek.pl", "amorki.pl", "opoczta.pl", "spoko.pl"),
        ),
    ),
    Provider(
        "Interia",
        *_tls("poczta.interia.pl"),
        domains=(
            "interia.pl",
            "interia.eu",
            "intmail.pl",
            "poczta.fm",
            "interiowy.pl",
            "pisz.to",
            "ogarnij.se",
        ),
    ),
    Provider("Gazeta.pl", *_pair("imap.gazeta.pl", "smtp.gazeta.pl"), domains=("gazeta.pl",)),
    Provider("ABV", *_pair("imap.abv.bg", "smtp.abv.bg"), domains=("abv.bg", "gyuvetch.bg")),
    Provider("Mail.bg", *_pair("imap.mail.bg", "smtp.mail.bg"), domains=("mail.bg",)),
    Provider(
        "Seznam",
        *_pair("imap.seznam.cz", "smtp.seznam.cz"),
        domains=("seznam.cz", "email.cz", "post.cz", "spoluzaci.cz", "stream.cz"),
        mx=("seznam.cz",),
    ),
    Provider(
        "Yahoo",
        *_pair("imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
        domains=("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.de", "yahoo.pl"),
        mx=("yahoodns.net",),
        hint="app_password",
        limits={"per_day": 500},
    ),
    Provider(
        "iCloud",
        *_pair("imap.mail.me.com", "smtp.mail.me.com", 587),
        domains=("icloud.com", "me.com", "mac.com"),
        mx=("icloud.com",),
        hint="app_password",
        limits={"per_day": 1000},
    ),
    Provider(
        "GMX",
        *_pair("imap.gmx.net", "mail.gmx.net", 587),
        domains=("gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.com"),
    ),
    Provider("WEB.DE", *_pair("imap.web.de", "smtp.web.de", 587), domains=("web.de",)),
    Provider(
        "Zoho",
        *_pair("imap.zoho.eu", "smtp.zoho.eu"),
        domains=("zohomail.eu",),
        mx=("zoho.eu",),
        hint="app_password",
    ),
    Provider(
        "Fastmail",
        *_pair("imap.fastmail.com", "smtp.fastmail.com"),
        domains=("fastmail.com", "fastmail.fm"),
        mx=("messagingengine.com",),
        hint="app_password",
    ),
    Provider("OVH", *_tls("ssl0.ovh.net"), mx=("ovh.net", "ovh.ca"), limits={"per_hour": 200}),
    Provider(
        "Forpsi",
        *_pair("imap.forpsi.com", "smtp.forpsi.com"),
        mx=("forpsi.com",),
        limits={"per_minute": 250, "per_hour": 1000, "per_span": 10_000, "span_minutes": 720},
    ),
    Provider(
        "Simply.com",
        *_pair("imap.simply.com", "smtp.simply.com", 587),
        mx=("simply.com",),
        limits={"per_span": 300, "span_minutes": 120},
    ),
)

_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def provider_of(domain: str) -> Provider | None:
    """Who serves the addresses of a domain (lower case, A-labels); None when it is not a large provider's own."""
    return _BY_DOMAIN.get(domain)


def provider_of_mx(hosts: list[str]) -> Provider | None:
    """Who serves a domain with these MX hosts; the first that is known."""
    for host in hosts:
        name = "." + host.lower().rstrip(".")
        for provider in PROVIDERS:
            if any(name.endswith("." + end) for end in provider.mx):
                return provider
    return None
