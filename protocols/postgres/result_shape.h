// One result's columns as its RowDescription announced them, and what is hidden of each.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

// One field of a RowDescription.
struct FieldShape {
    std::string label;
    std::uint32_t relation = 0;  // OID; 0 where the server traced no origin
    std::int16_t attribute = 0;
    std::uint32_t type = 0;  // OID
    bool binary = false;
};

struct ResultShape {
    std::vector<FieldShape> fields;
    MaskPlan plan;  // by default hides everything
};

// The fields of a RowDescription's body.
Result<std::vector<FieldShape>> read_row_description(Bytes body);

// Appends a DataRow with the plan applied to a buffer; gives how many values were hidden.
// Fault::malformed where the row is not what its description announced.
Result<std::size_t> mask_row(Bytes body, const ResultShape& shape, std::string& into);

}  // namespace sallyport::postgres
