// A refused message, said in PostgreSQL's words.
//
// The gateway never emulates the server's state: it makes the target fail where the refused message
// stood and puts its own words into the error that comes back. Transaction, portal and pipeline
// state are then the server's own.

#pragma once

#include <string>
#include <string_view>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

// SQLSTATE for an Error that ends a statement or a session.
std::string_view sqlstate_of(Fault fault);

// A Query that fails in the raw parser, wherever it stands.
std::string failing_query();

// A Parse that fails in the raw parser. unnamed: it stands for a Parse of the unnamed statement,
// which drops the old one even where it fails; otherwise no statement is touched.
std::string failing_parse(bool unnamed);

// The target's ErrorResponse with the refusal's words in place of its own; severities stay.
std::string refusal_message(Bytes error_body, const Error& refusal);

// The last message of a session that ends by the gateway's decision, severity FATAL.
std::string farewell(const Error& why);

}  // namespace sallyport::postgres
