"""The version of DEFT, alone so that reading it costs nothing."""

VERSION = "0.1.0"
