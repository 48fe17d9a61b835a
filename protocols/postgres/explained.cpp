#include "protocols/postgres/explained.h"

#include <algorithm>

#include "protocols/postgres/function_classes.h"
#include "protocols/postgres/resolution.h"
#include "protocols/postgres/session_masks.h"

namespace sallyport::postgres {

namespace {

std::string how_resolved(const Resolution& names, const std::string& written)
{
    const std::size_t dot = written.rfind('.');
    const std::string schema = dot == std::string::npos ? std::string() : written.substr(0, dot);
    const std::string name = dot == std::string::npos ? written : written.substr(dot + 1);
    std::string how;
    const auto also = [&how](const std::string& more) {
        how += (how.empty() ? "" : "; or ") + more;
    };
    if (is_built_in_function(schema, name)) {
        const ClassSet classes = classes_of_function(schema, name, 1);
        also(classes.empty()
                 ? "pg_catalog." + name + ", built in and harmless"
                 : "pg_catalog." + name + ", built in: " + names_of(sql_vocabulary(), classes));
    }
    for (const CatalogueFunction* function : names.functions_named(schema, name)) {
        const std::string qualified = function->schema + "." + function->name;
        if (names.is_trusted(*function))
            also(qualified + ", trusted by the configuration");
        else if (!function->extension.empty())
            also(qualified + " of extension " + function->extension);
        else
            also(qualified + " in " + function->language +
                 (function->definition.empty() ? "" : ", its body was read"));
    }
    if (how.empty() && names.is_trusted(schema, name))
        return "trusted by the configuration";
    return how.empty() ? "unknown" : how;
}

}  // namespace

Explained explained(const Sql& sql)
{
    Explained made;
    for (const Statement& statement : sql.statements()) {
        std::vector<std::string> functions = statement.functions;
        std::ranges::sort(functions);
        const auto same = std::ranges::unique(functions);
        functions.erase(same.begin(), same.end());
        for (const std::string& function : functions)
            made.functions.emplace_back(function, how_resolved(*sql.names, function));
        auto traced = traced_columns(*statement.lineage);
        std::ranges::move(traced.columns, std::back_inserter(made.columns));
    }
    return made;
}

}  // namespace sallyport::postgres
