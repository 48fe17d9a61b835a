// The parameters of a Bind message, in the form they are recorded in: a count, then for each its
// type OID (0: not known), format, length (-1: NULL, -2: left out, then its length in eight bytes)
// and bytes (docs/audit-format.md).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

struct BindMessage {
    std::string portal;
    std::string statement;
    std::vector<std::uint16_t> formats;  // none: all text; one: for all; else one for each
    std::vector<Bytes> values;           // views of the message; a null view for NULL
    std::vector<bool> nulls;
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
