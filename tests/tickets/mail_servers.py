# ruff: noqa: N802, A002  # the names are those of Twisted
"""A real IMAP and a real SMTP server on free loopback ports, in a thread of the tests: Twisted's own protocols."""

import io
import itertools
import threading
from email import message_from_bytes
from email.utils import formatdate

import pytest

pytest.importorskip("twisted", reason="The servers of these tests are Twisted's; install it to run them.")

from twisted.internet import defer, protocol, reactor
from twisted.internet.threads import blockingCallFromThread
from twisted.mail import imap4, smtp
from zope.interface import implementer

PASSWORD = "the password of the mailbox"  # of a server that lives for one test


@implementer(imap4.IMessage, imap4.IMessageFile)
class Stored:
    """One mail in the mailbox."""

    def __init__(self, uid, raw):
        self.uid, self.raw, self.flags = uid, raw, set()
        self.parsed = message_from_bytes(raw)

    def getUID(self):
        return self.uid

    def getFlags(self):
        return list(self.flags)

    def getInternalDate(self):
        return formatdate()

    def getHeaders(self, negate, *names):
        wanted = {name.lower() if isinstance(name, str) else name.decode().lower() for name in names}
        return {
            name.lower(): str(value)
            for name, value in self.parsed.items()
            if (name.lower() in wanted) != negate or not names
        }

    def getBodyFile(self):
        return io.BytesIO(self.raw.partition(b"\r\n\r\n")[2])

    def getSize(self):
        return len(self.raw)

    def isMultipart(self):
        return False

    def getSubPart(self, part):
        raise IndexError(part)

    def open(self):
        return io.BytesIO(self.raw)


@implementer(imap4.IMailbox)
class Inbox:
    """A mailbox in memory."""

    def __init__(self):
        self.validity, self.mails, self.next = 7, [], itertools.count(1)

    def put(self, raw):
        self.mails.append(Stored(next(self.next), raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))

    def getFlags(self):
        return [r"\Seen"]

    def getHierarchicalDelimiter(self):
        return "/"

    def getUIDValidity(self):
        return self.validity

    def getUIDNext(self):
        return len(self.mails) + 1

    def getUID(self, message):
        return self.mails[message - 1].uid

    def getMessageCount(self):
        return len(self.mails)

    def getRecentCount(self):
        return 0

    def getUnseenCount(self):
        return len(self.mails)

    def isWriteable(self):
        return True

    def destroy(self):
        self.mails.clear()

    def requestStatus(self, names):
        return imap4.statusRequestHelper(self, names)

    def addListener(self, listener):
        return None

    def removeListener(self, listener):
        return None

    def addMessage(self, message, flags=(), date=None):
        self.put(message.read())

    def expunge(self):
        return []

    def _chosen(self, messages, uid):
        messages.last = (self.mails[-1].uid if uid else len(self.mails)) if self.mails else 0
        return [(n, mail) for n, mail in enumerate(self.mails, 1) if (mail.uid if uid else n) in messages]

    def fetch(self, messages, uid):
        return self._chosen(messages, uid)

    def store(self, messages, flags, mode, uid):
        chosen = self._chosen(messages, uid)
        for _, mail in chosen:
            mail.flags |= set(flags)
        return {n: mail.getFlags() for n, mail in chosen}


class Account(imap4.MemoryAccount):
    """An account with one folder."""

    def _emptyMailbox(self, name, id):
        return Inbox()


class ImapServer(imap4.IMAP4Server):
    """Lets in who knows the password."""

    def authenticateLogin(self, user, passwd):
        if passwd.decode() != PASSWORD:
            return defer.fail(imap4.IllegalClientResponse("That is not the password."))
        return defer.succeed((imap4.IAccount, self.factory.account, lambda: None))


@implementer(smtp.IMessage)
class Taken:
    """One mail being handed in."""

    def __init__(self, kept):
        self.kept, self.lines = kept, []

    def lineReceived(self, line):
        self.lines.append(line)

    def eomReceived(self):
        self.kept.append(b"\r\n".join(self.lines) + b"\r\n")
        return defer.succeed("kept")

    def connectionLost(self):
        self.lines = []


@implementer(smtp.IMessageDelivery)
class Delivery:
    """Takes every mail."""

    def __init__(self, kept):
        self.kept = kept

    def receivedHeader(self, helo, origin, recipients):
        return b"Received: by the test"

    def validateFrom(self, helo, origin):
        return origin

    def validateTo(self, user):
        return lambda: Taken(self.kept)


class SmtpServer(smtp.ESMTP):
    """Speaks SMTP."""

    def connectionMade(self):
        self.delivery = Delivery(self.factory.kept)
        super().connectionMade()


class Servers:
    """Both servers, as a test sees them."""

    def __init__(self):
        self.account = Account("help")
        self.account.addMailbox("INBOX", Inbox())
        self.sent = []
        self.imap_port = self._listen(ImapServer, account=self.account)
        self.smtp_port = self._listen(SmtpServer, kept=self.sent)

    @property
    def inbox(self):
        return self.account.mailboxes["INBOX"]

    def _listen(self, kind, **given):
        factory = protocol.ServerFactory()
        factory.protocol = kind
        for name, value in given.items():
            setattr(factory, name, value)
        port = blockingCallFromThread(reactor, reactor.listenTCP, 0, factory, interface="127.0.0.1")
        self._ports = [*getattr(self, "_ports", []), port]
        return port.getHost().port

    def stop(self):
        for port in self._ports:
            blockingCallFromThread(reactor, port.stopListening)


def start_reactor():
    """Run Twisted's loop in a thread that ends with the tests."""
    if not reactor.running:
        threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False}, daemon=True).start()
        ready = threading.Event()
        reactor.callFromThread(ready.set)
        ready.wait(10)
