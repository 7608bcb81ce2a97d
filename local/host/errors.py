"""What stops the host before it starts: said to a person, without a stack trace."""


class HostError(Exception):
    """The host cannot run this app."""


class IndexingError(HostError):
    """The worker cannot load the app; the real host would show zero functions instead."""


class BindingError(HostError):
    """A binding asks for something that this host, or its environment, does not have."""


class SettingError(HostError):
    """A setting that a binding or the host needs is missing or wrong."""
