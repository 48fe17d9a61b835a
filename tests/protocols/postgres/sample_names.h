// A small database for tests of what names mean, and names without one.
//
// In schema public: users(id, name, email, ssn, age), cards(id, user_id, pan), orders(id, user_id,
// total, note), log(at, who, what), and what stands in sample_names.cpp beside them.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/postgres/catalogue.h"
#include "protocols/postgres/resolution.h"

namespace sallyport::postgres {

// Names mean what they would in an empty database.
std::shared_ptr<Resolution> no_names(std::vector<std::string> trusted = {});

// Makes the parts of a catalogue.
class SampleParts {
public:
    SampleParts();

    // References hold until the parts are given away.
    CatalogueRelation& relation(std::string schema, std::string name,
                                const std::vector<std::string>& columns, char kind = 'r');
    CatalogueRelation& view(std::string schema, std::string name,
                            const std::vector<std::string>& columns, std::string query,
                            char kind = 'v');
    // definition: CREATE FUNCTION ..., empty for other languages than sql and plpgsql.
    CatalogueFunction& function(std::string schema, std::string name, std::uint16_t arguments,
                                std::string language, std::string definition = {});
    static void trigger(CatalogueRelation& on, const CatalogueFunction& function,
                        std::uint16_t events);
    CatalogueRelation& relation_named(std::string_view name);

    CatalogueParts parts;

private:
    std::uint32_t next_oid_ = 20000;
};

// The database described above.
SampleParts sample_parts();

std::shared_ptr<Resolution> resolved(SampleParts sample, SearchPath path = {{"public"}, true},
                                     std::vector<std::string> trusted = {});

// Of the database described above; made once.
const std::shared_ptr<Resolution>& sample_names();

// "users.ssn" for public's, other schemas with their name, "?" for what cannot be traced; sorted,
// with commas; "-" for none.
std::string words_of(const Resolution& names, const Sources& sources);

}  // namespace sallyport::postgres
