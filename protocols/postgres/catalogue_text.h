// What a reading of the catalogue found, as a text: for `sallyport decide`, which asks no target.

#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "gateway/vocabulary/result.h"
#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {

// JSON, one relation, function, operator, cast or type a line. Without what Catalogue fills in.
std::string write_catalogue(const CatalogueParts& parts);

// Fault::malformed where write_catalogue() did not write it.
Result<CatalogueParts> read_catalogue_text(std::string_view text);

// The newest reading of one connection's target, in a file of the state directory.
class CatalogueFile {
public:
    explicit CatalogueFile(std::string file) : file_(std::move(file)) {}
    CatalogueFile(const CatalogueFile&) = delete;
    CatalogueFile& operator=(const CatalogueFile&) = delete;
    // Waits for a saving that is under way.
    ~CatalogueFile() = default;

    // Puts it in the file's place where the file says something else, on a thread of its own. False
    // where that cannot be begun now, for another one is under way.
    bool save(std::shared_ptr<const Catalogue> catalogue);

private:
    std::string file_;
    std::atomic<bool> busy_ = false;
    std::jthread thread_;
};

// Fault::unavailable where there is none yet, or it cannot be read.
Result<CatalogueParts> load_catalogue(const std::string& file);

}  // namespace sallyport::postgres
