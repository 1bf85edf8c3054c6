"""When a person is erased, so is the content of the files about them; that there was a file stays."""

from functools import partial

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from apps.core.attachments.models import Attachment
from apps.core.personal import Traces


def erase_files(traces: Traces) -> int:
    """Delete the content of every file about the person, once the erasure is committed; returns how many."""
    about = models.Q(pk__in=())
    for thing in traces.rows:
        about |= models.Q(content_type=ContentType.objects.get_for_model(type(thing)), object_id=thing.pk)
    files = list(Attachment.objects.filter(about))
    for attachment in files:
        transaction.on_commit(partial(attachment.file.storage.delete, attachment.file.name))
    return len(files)
