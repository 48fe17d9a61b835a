// What one session's masks hide of a statement: its result's columns by their lineage, and what its
// errors and plans could quote.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/column.h"
#include "protocols/postgres/resolution.h"
#include "protocols/postgres/result_shape.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

// Columns of a result, and where their values come from.
struct Traced {
    std::vector<Column> columns;
    bool complete = true;
};

// Of a COPY ... TO STDOUT, which the server does not describe. complete: each column of its own.
Traced traced_columns(const Lineage& lineage);

class SessionMasks {
public:
    // rules outlive it.
    explicit SessionMasks(const MaskRules& rules) : rules_(rules) {}

    bool hides_nothing() const { return rules_.hides_nothing(); }

    // Whether a value of the column is hidden.
    bool hides(const CatalogueColumn* column) const;

    // Whether something the statement reads, compares or writes beside is hidden: an error or a
    // plan of it could quote a value.
    bool touched_by(const Statement& statement) const;
    bool touched_by(const Sql& sql);

    // Why the statement must not run at all under these masks; nothing where it may.
    std::optional<std::string> forbids(const Statement& statement) const;

    // A result's columns and where their values come from: what lineage says and what the server
    // says, together. `untraced_otherwise`: whether a column that neither knows could be anything.
    // known: the newest catalogue. complete: false where a relation that the server names is not in
    // it.
    Traced trace(const std::vector<FieldShape>& fields, const Lineage* lineage, Resolution& names,
                 bool untraced_otherwise) const;

private:
    bool hides_any(const Sources& sources) const;

    const MaskRules& rules_;
    // The last answer of touched_by(): it is asked several times for each command.
    std::shared_ptr<const std::vector<Statement>> asked_;
    bool answer_ = false;
};

}  // namespace sallyport::postgres
