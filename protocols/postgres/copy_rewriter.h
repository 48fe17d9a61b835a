// Masks the rows of a COPY ... TO STDOUT, in text, CSV and binary form (PostgreSQL documentation,
// COPY, "File Formats"). There is no RowDescription: the columns come from the catalogue.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"
#include "protocols/postgres/detected_value.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

class CopyRewriter {
public:
    // types: of each column, an OID; empty where the columns are unknown and every field of every
    // row is hidden as text. The plan's actions outlive the rewriter.
    CopyRewriter(CopyTarget form, MaskPlan plan, std::vector<std::uint32_t> types,
                 SecondNet net = {});

    // The body of one CopyData message, which the server makes of whole rows, with the plan
    // applied; masked: how many values were hidden. Fault::malformed where it is not the form it
    // should be.
    Result<std::string> rewrite(Bytes body, std::size_t& masked);

private:
    Result<std::string> rewrite_binary(Bytes body, std::size_t& masked);
    Result<std::string> rewrite_text(std::string_view rows, std::size_t& masked);
    Result<std::string> rewrite_csv(std::string_view rows, std::size_t& masked);

    // A value as it may be seen, where that is not as it is.
    struct Seen {
        bool null;
        std::string text;
    };
    std::optional<Seen> seen(std::size_t column, std::string_view value, bool binary) const;

    CopyTarget form_;
    MaskPlan plan_;
    std::vector<std::uint32_t> types_;
    SecondNet net_;
    bool header_passed_ = false;
};

}  // namespace sallyport::postgres
