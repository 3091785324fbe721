"""Starts MiniStack with what it has to know of Kinesis: that a sequence number does not begin with a zero."""

from ministack.services import kinesis

following = kinesis._next_sequence_number

# AWS's have 56 digits and begin with 49. Ours are read as numbers and written as AWS writes them, so a leading zero is an error.
kinesis._next_sequence_number = lambda: "49" + following().rjust(54, "0")

from ministack.app import main  # noqa: E402

main()
