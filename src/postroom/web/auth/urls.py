"""Signing in and out, resetting a password, the second factor: allauth's views at our addresses."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.urls import path, re_path

from postroom.web.auth import views

urlpatterns = [
    path("sign-in/", account.login, name="account_login"),
    path("sign-out/", account.logout, name="account_logout"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/again/", account.reauthenticate, name="account_reauthenticate"),
    path("sign-in/code/", mfa.authenticate, name="mfa_authenticate"),
    path("sign-in/again/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("sign-up/", account.signup, name="account_signup"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("settings/second-factor/", mfa.index, name="mfa_index"),
    path("settings/second-factor/on/", totp.activate_totp, name="mfa_activate_totp"),
    path("settings/second-factor/off/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("settings/second-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "settings/second-factor/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"
    ),
    path(
        "settings/second-factor/codes/file/",
        codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("settings/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("settings/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("settings/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    path("settings/passkeys/<int:pk>/name/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("sign-in/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/again/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("settings/sessions/", views.sessions, name="usersessions_list"),
    path("settings/sessions/<int:session_id>/end/", views.session_end, name="session_end"),
    path("sign-in/<str:provider_id>/login/", oidc.login, name="openid_connect_login"),
    path("sign-in/<str:provider_id>/login/callback/", oidc.callback, name="openid_connect_callback"),
    path("sign-in/cancelled/", views.sign_in_failed, name="socialaccount_login_cancelled"),
    path("sign-in/error/", views.sign_in_failed, name="socialaccount_login_error"),
    path("sign-in/unknown/", views.account_page, name="socialaccount_signup"),
    path("sign-in/connections/", views.account_page, name="socialaccount_connections"),
    # allauth asks for these names; nobody changes an address or confirms one here
    path("sign-in/address/", views.account_page, name="account_email"),
]
