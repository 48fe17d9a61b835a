// Relations that a session has made and the catalogue may not know yet: temporary tables, and what
// its open transaction created. What was copied into them is remembered with them.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

class OwnRelations {
public:
    // Takes up what a statement that is being forwarded makes, and what it copies into relations
    // made before. True where something changed.
    bool take(const Statement& statement);

    // Immutable: a change makes new ones.
    const std::vector<std::shared_ptr<const CatalogueRelation>>& relations() const
    {
        return relations_;
    }

    // Forgets what the catalogue has by now, but temporary ones. True where something changed.
    bool forget_known(const Catalogue& catalogue);

private:
    std::vector<std::shared_ptr<const CatalogueRelation>> relations_;
};

// What a statement copies where, for DerivedColumns.
std::vector<DerivedColumn> derived_by(const Lineage& lineage);

// What one statement of a text copies on that another has copied: each column's places are those of
// everything that may have gone through it.
void close_copies(std::vector<Statement>& statements);

}  // namespace sallyport::postgres
