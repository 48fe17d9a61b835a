// One result's columns as its RowDescription announced them, and what is hidden of each.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"
#include "protocols/postgres/detected_value.h"

namespace sallyport::postgres {

struct Lineage;
class Resolution;

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
    SecondNet net;  // what looks at values that the plan shows

    // Rows may be forwarded without being looked into.
    bool passes() const;
};

// The shapes one session met last: the same description of a result with the same lineage has the
// same shape. A few only, as memory for each session counts.
class ResultShapes {
public:
    // names: what the result was traced with. Null where it is not among them.
    std::shared_ptr<const ResultShape> find(Bytes row_description,
                                            const std::shared_ptr<const Resolution>& names,
                                            const std::shared_ptr<const Lineage>& lineage,
                                            bool untraced) const;
    void keep(Bytes row_description, std::shared_ptr<const Resolution> names,
              std::shared_ptr<const Lineage> lineage, bool untraced,
              std::shared_ptr<const ResultShape> shape);

private:
    struct Kept {
        std::string row_description;
        std::shared_ptr<const Resolution> names;
        std::shared_ptr<const Lineage> lineage;
        bool untraced = false;
        std::shared_ptr<const ResultShape> shape;
    };

    std::array<Kept, 4> kept_;
    std::size_t oldest_ = 0;
};

// The fields of a RowDescription's body.
Result<std::vector<FieldShape>> read_row_description(Bytes body);

// Appends a DataRow with the plan applied to a buffer; gives how many values were hidden.
// Fault::malformed where the row is not what its description announced.
Result<std::size_t> mask_row(Bytes body, const ResultShape& shape, std::string& into);

}  // namespace sallyport::postgres
