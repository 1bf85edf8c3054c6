"""The settings of mops, one module by concern."""

from mops.settings.admin import *  # noqa: F403
from mops.settings.apps import *  # noqa: F403
from mops.settings.auth import *  # noqa: F403
from mops.settings.jobs import *  # noqa: F403
from mops.settings.logs import *  # noqa: F403
from mops.settings.mail import *  # noqa: F403
from mops.settings.sealing import *  # noqa: F403
from mops.settings.security import *  # noqa: F403
from mops.settings.storage import *  # noqa: F403
