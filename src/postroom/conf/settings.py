"""Django's settings, and ours: every POSTROOM_ variable is explained in docs/settings.md."""

from pathlib import Path

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from postroom.conf import env, keys, place
from postroom.errors import HostError

PACKAGE = Path(__file__).resolve().parent.parent

# --- where and how we listen

POSTROOM_DATA = place.data()
POSTROOM_KEY_FILE = place.key_file()
POSTROOM_URL = env.url("POSTROOM_URL", "http://localhost:8025")
# The throw-away instance of `postroom demo`: one-click links may use http there.
POSTROOM_DEMO = env.flag("POSTROOM_DEMO")
POSTROOM_LISTEN = env.listen("POSTROOM_LISTEN", "127.0.0.1:8025")
POSTROOM_TRUSTED_PROXIES = env.names("POSTROOM_TRUSTED_PROXIES")
POSTROOM_INGRESS_LISTEN = env.listen("POSTROOM_INGRESS_LISTEN", "127.0.0.1:8026")
POSTROOM_INGRESS_LMTP = env.listen_or_socket("POSTROOM_INGRESS_LMTP", "off")
POSTROOM_INGRESS_SIZE_MB = env.whole("POSTROOM_INGRESS_SIZE_MB", 64, least=1, most=1024)
POSTROOM_INGRESS_SWEEP_SECONDS = env.seconds("POSTROOM_INGRESS_SWEEP_SECONDS", 60)
# A certificate chain with its key (PEM) for STARTTLS; None = none is offered.
POSTROOM_INGRESS_CERTIFICATE = env.file("POSTROOM_INGRESS_CERTIFICATE")
# Connections one client may have; those by a Unix socket or from this machine are not counted.
POSTROOM_INGRESS_PER_CLIENT = env.whole("POSTROOM_INGRESS_PER_CLIENT", 20, least=1, most=10_000)
# The name under which the mail server in front writes Authentication-Results (RFC 8601); "" = there is none.
POSTROOM_INGRESS_AUTHSERV = env.text("POSTROOM_INGRESS_AUTHSERV", "")
# Mails one author may send to one group within a minute (two autoresponders that face each other); 0 = any number.
POSTROOM_GROUP_PER_MINUTE = env.whole("POSTROOM_GROUP_PER_MINUTE", 60, most=1_000_000)
# Postings in a row that a member's server refuses before copies pause.
POSTROOM_GROUP_FAILURES = env.whole("POSTROOM_GROUP_FAILURES", 3, least=1, most=1000)
POSTROOM_SOCKETMAP = env.listen_or_socket("POSTROOM_SOCKETMAP", "off")
POSTROOM_WEB_PROCESSES = env.whole("POSTROOM_WEB_PROCESSES", 1, least=1, most=64)
POSTROOM_WEB_THREADS = env.whole("POSTROOM_WEB_THREADS", 8, least=1, most=256)
POSTROOM_DELIVERY_PROCESSES = env.whole("POSTROOM_DELIVERY_PROCESSES", 0, most=256)
POSTROOM_WORKER_THREADS = env.whole("POSTROOM_WORKER_THREADS", 4, least=1, most=64)
POSTROOM_OBJECTS = place.objects()
POSTROOM_LOG_LEVEL = env.choice("POSTROOM_LOG_LEVEL", "info", ("debug", "info", "warning", "error"))
POSTROOM_PG_BIN = place.pg_bin()
POSTROOM_DNS = env.servers("POSTROOM_DNS")

# --- the engine: DESIGN section 4

POSTROOM_LEASE_SECONDS = env.seconds("POSTROOM_LEASE_SECONDS", 30)
POSTROOM_LEASE_RENEW_SECONDS = env.seconds("POSTROOM_LEASE_RENEW_SECONDS", 10)
POSTROOM_POLL_SECONDS = env.seconds("POSTROOM_POLL_SECONDS", 1)
POSTROOM_BATCH_MAX = env.whole("POSTROOM_BATCH_MAX", 200, least=1, most=10_000)
POSTROOM_BATCH_WAIT_SECONDS = env.seconds("POSTROOM_BATCH_WAIT_SECONDS", 1)
POSTROOM_SHARD_SIZE = env.whole("POSTROOM_SHARD_SIZE", 1000, least=1, most=1_000_000)
POSTROOM_RETRY_SCHEDULE = env.seconds_list("POSTROOM_RETRY_SCHEDULE", (60, 300, 900, 3600, 14400))
POSTROOM_RETRY_GIVE_UP_HOURS = env.seconds("POSTROOM_RETRY_GIVE_UP_HOURS", 72)
POSTROOM_FAULT_TRIES = env.whole("POSTROOM_FAULT_TRIES", 3, least=1, most=1000)
POSTROOM_TROUBLE_SCHEDULE = env.seconds_list("POSTROOM_TROUBLE_SCHEDULE", (5, 30, 60, 300, 900))
POSTROOM_START_UNDO_SECONDS = env.seconds("POSTROOM_START_UNDO_SECONDS", 10, least=0)
# Campaigns at the same time: what one may use, what stays free, what all may use (0 = what the machine has free).
POSTROOM_RUN_MEMORY_MB = env.whole("POSTROOM_RUN_MEMORY_MB", 150, least=1, most=100_000)
POSTROOM_MEMORY_RESERVE_MB = env.whole("POSTROOM_MEMORY_RESERVE_MB", 256, most=1_000_000)
POSTROOM_MEMORY_MB = env.whole("POSTROOM_MEMORY_MB", 0, most=10_000_000)
POSTROOM_WAITING_RUNS = env.whole("POSTROOM_WAITING_RUNS", 100, least=1, most=10_000)
POSTROOM_COLLECT_SECONDS = env.seconds("POSTROOM_COLLECT_SECONDS", 900)
POSTROOM_FOLDERS_SECONDS = env.seconds("POSTROOM_FOLDERS_SECONDS", 120)
POSTROOM_FILE_SECONDS = env.seconds("POSTROOM_FILE_SECONDS", 10, least=0)
POSTROOM_COLLECT_THREADS = env.whole("POSTROOM_COLLECT_THREADS", 32, least=1, most=1000)
POSTROOM_COLLECT_LOOK_BACK_DAYS = env.seconds("POSTROOM_COLLECT_LOOK_BACK_DAYS", 7, least=0)
POSTROOM_COLLECT_RETRY_SCHEDULE = env.seconds_list("POSTROOM_COLLECT_RETRY_SCHEDULE", (60, 300, 900, 3600))
# A folder whose files people may use as exclusion sets; None = there is none.
POSTROOM_EXCLUSION_FOLDER = env.file("POSTROOM_EXCLUSION_FOLDER")
POSTROOM_JOB_STALLED_SECONDS = env.seconds("POSTROOM_JOB_STALLED_SECONDS", 30)
POSTROOM_JOB_SWEEP_SECONDS = env.seconds("POSTROOM_JOB_SWEEP_SECONDS", 15)

if POSTROOM_LEASE_RENEW_SECONDS * 2 > POSTROOM_LEASE_SECONDS:
    raise HostError("POSTROOM_LEASE_RENEW_SECONDS must be at most half of POSTROOM_LEASE_SECONDS.")

# --- the database


def _database(url: str) -> dict[str, object]:
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise HostError(
            "POSTROOM_DATABASE_URL cannot be used: postgresql://user:password@host/database is expected."
        ) from error
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "postroom"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "") or ""),
        "OPTIONS": {"application_name": "postroom", **parts},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }


POSTROOM_DATABASE_URL = place.database_url()
DATABASES = {"default": _database(POSTROOM_DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django

# Read at first use, so that tools which only look at the tables need no key file.
SECRET_KEY = SimpleLazyObject(lambda: keys.current().secret_key)
DEBUG = False
ALLOWED_HOSTS = ["*"]  # links are built from POSTROOM_URL, never from the Host header
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "postroom.models",
    "postroom.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "postroom.web.middleware.HeadersMiddleware",
    "postroom.web.viewer.ViewerMiddleware",
    "postroom.web.errors.ErrorsMiddleware",
]
ROOT_URLCONF = "postroom.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "postroom.web.context.shell",
            ]
        },
    }
]
WSGI_APPLICATION = "postroom.web.wsgi.application"
PROCRASTINATE_IMPORT_PATHS = ["postroom.daemons.worker.tasks"]
EMAIL_BACKEND = "postroom.actions.sysmail.MessageRowBackend"

# --- language, time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("pl", _("Polish")), ("bg", _("Bulgarian"))]
LOCALE_PATHS = [PACKAGE / "web" / "locale"]
FORMAT_MODULE_PATH = "postroom.conf.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files: whitenoise serves them straight from the package

CSRF_FAILURE_VIEW = "postroom.web.errors.forbidden"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- who may come in

AUTH_USER_MODEL = "postroom.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "postroom.web.account_adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = POSTROOM_URL.split(":", 1)[0]
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Postroom"
# Browsers make passkeys without https for localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not POSTROOM_URL.startswith("https://")

# The firm's own sign-in server (OpenID Connect). It opens logins that exist or were invited, and makes none.
POSTROOM_OIDC_URL = env.url("POSTROOM_OIDC_URL", "", path=True)
POSTROOM_OIDC_CLIENT = env.text("POSTROOM_OIDC_CLIENT", "")
POSTROOM_OIDC_SECRET = env.secret("POSTROOM_OIDC_SECRET")
POSTROOM_OIDC_NAME = env.text("POSTROOM_OIDC_NAME", "OpenID Connect")
SOCIALACCOUNT_ADAPTER = "postroom.web.social_adapter.SocialAdapter"
SOCIALACCOUNT_ONLY = False
# A link, no form: a form may not lead to another host (CSP), and whoever follows it signs in as themselves.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # our adapter decides, by the verified address alone
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": POSTROOM_OIDC_NAME,
                "client_id": POSTROOM_OIDC_CLIENT,
                "secret": POSTROOM_OIDC_SECRET,
                "settings": {"server_url": POSTROOM_OIDC_URL},
            }
        ]
        if POSTROOM_OIDC_URL
        else [],
    }
}
# Requests a minute that one API token may make of one web process.
POSTROOM_API_PER_MINUTE = env.whole("POSTROOM_API_PER_MINUTE", 600, least=1, most=1_000_000)

# Whether the firm's mail servers take letters beyond a to z before the @-sign (RFC 6531); groups may have them then.
POSTROOM_SMTPUTF8 = env.flag("POSTROOM_SMTPUTF8", False)

# --- headers and cookies

_HTTPS = POSTROOM_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [POSTROOM_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- log: one JSON line a record, see postroom.conf.log; django.setup() must not touch it

LOGGING_CONFIG = None
