"""The ledger of every change, and the desk auditors work at."""

from django.apps import AppConfig

# tables of other packages whose changes an auditor asks for, and the columns in them that are secrets
FOREIGN: dict[str, tuple[str, ...]] = {
    "auth_group": (),
    "auth_group_permissions": (),
    "accounts_user_groups": (),
    "accounts_user_user_permissions": (),
    "guardian_userobjectpermission": (),
    "guardian_groupobjectpermission": (),
    "account_emailaddress": (),
    "mfa_authenticator": ("data",),
    "socialaccount_socialaccount": ("extra_data",),
    "socialaccount_socialapp": ("secret", "key", "settings"),
    "socialaccount_socialtoken": ("token", "token_secret"),
}


class AuditConfig(AppConfig):
    """The audit application."""

    name = "apps.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Record who may do what and how people sign in, too; make the auditors' notification known;
        put what changed lately on the home page.
        """
        from apps.audit.admin.ledger import news_panel  # noqa: PLC0415  # models must be loaded
        from apps.audit.domain.reasons import demanded  # noqa: PLC0415
        from apps.audit.figures import seal_figures  # noqa: PLC0415
        from apps.core.admin_kit.site import Panel, register_panel  # noqa: PLC0415
        from apps.core.metrics import register_figures  # noqa: PLC0415
        from apps.core.notifications.enums import Importance  # noqa: PLC0415  # apps must be ready
        from apps.core.notifications.kinds import register_kind  # noqa: PLC0415
        from apps.core.reasons import register_reason_rules  # noqa: PLC0415
        from apps.core.recorders import record_table  # noqa: PLC0415

        register_kind(
            "audit.unattributed", "Records were changed by nobody", importance=Importance.URGENT, mandatory=True
        )

        register_reason_rules(demanded)
        register_figures(seal_figures)
        register_panel(Panel("news", 60, "admin/audit/news_panel.html", news_panel))
        for table, secrets in FOREIGN.items():
            record_table(table, secrets=secrets)
