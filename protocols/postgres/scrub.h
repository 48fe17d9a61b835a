// Errors and notices of the target that could quote a masked value.

#pragma once

#include <string>

#include "gateway/vocabulary/bytes.h"

namespace sallyport::postgres {

// An 'E' or 'N' message with everything taken out that can quote data, where its SQLSTATE is of a
// class whose texts do: message, detail, hint, context and internal query. Severity, SQLSTATE and
// the server's source location stay.
std::string scrubbed(char type, Bytes body);

}  // namespace sallyport::postgres
