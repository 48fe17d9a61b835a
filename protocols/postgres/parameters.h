// The parameters of a Bind message, in the form they are recorded in: a count, then for each its
// type OID (0: not known), format, length (-1: NULL, -2: left out, then its length in eight bytes)
// and bytes (docs/audit-format.md).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

// Views of the message; its lengths add up.
struct BindMessage {
    std::string_view portal;
    std::string_view statement;
    Bytes formats;  // two bytes each; none: all text; one: for all; else one for each parameter
    std::uint16_t parameters = 0;
    Bytes values;  // each a length (-1: NULL) and as many bytes
    std::vector<std::uint16_t> result_formats;
};

Result<BindMessage> read_bind(Bytes body);

// types: as given in Parse, may be shorter. hide: values are left out, only their lengths stay.
// Values beyond 64 KiB in all are left out as well. Empty where there are no parameters.
std::string recorded_parameters(const BindMessage& bind, const std::vector<std::uint32_t>& types,
                                bool hide);

// A RowDescription as it would be for a portal: the statement's, with the result formats of Bind.
std::string with_formats(std::string row_description, const std::vector<std::uint16_t>& formats);

}  // namespace sallyport::postgres
