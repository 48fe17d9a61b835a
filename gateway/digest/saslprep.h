// Passwords in the form that both sides of a SCRAM exchange hash.

#pragma once

#include "gateway/vocabulary/secret.h"

namespace sallyport {

// SASLprep (RFC 4013), with PostgreSQL's exception: a password that cannot be prepared, because it
// is not UTF-8 or holds what SASLprep forbids, is used as it is. ASCII always stays as it is.
Secret saslprep(const Secret& password);

}  // namespace sallyport
