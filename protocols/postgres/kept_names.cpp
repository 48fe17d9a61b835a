#include "protocols/postgres/kept_names.h"

#include <utility>

#include "gateway/state/state_file.h"
#include "protocols/postgres/catalogue_text.h"
#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/state_paths.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t longest_file = std::size_t{1} << 30;

}  // namespace

Result<std::shared_ptr<Resolution>> kept_names(const std::string& state_dir,
                                               const Connection& connection)
{
    std::shared_ptr<const Catalogue> catalogue;
    TRY(text, load_state_file(catalogue_file(state_dir, connection.name), longest_file));
    if (text) {
        TRY(parts, read_catalogue_text(*text));
        TRY(derived, DerivedColumns::open_read_only(derived_file(state_dir, connection.target)));
        catalogue = std::make_shared<const Catalogue>(std::move(parts), derived.get());
    }
    SearchPath path{{"public"}, true};
    if (catalogue)
        path.schemas = catalogue->search_path();
    return std::make_shared<Resolution>(std::move(catalogue), connection.trusted_functions,
                                        std::move(path));
}

}  // namespace sallyport::postgres
