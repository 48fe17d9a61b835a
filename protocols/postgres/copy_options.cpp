#include "protocols/postgres/copy_options.h"

#include "protocols/postgres/statement.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// HEADER, HEADER true, HEADER 1, HEADER match
bool is_on(const Node* argument)
{
    if (argument == nullptr)
        return true;
    if (argument->type == T_Integer)
        return as<Integer>(argument).ival != 0;
    if (argument->type == T_Boolean)
        return as<Boolean>(argument).boolval;
    std::string_view word = string_of(argument);
    if (argument->type == T_TypeName)
        word = string_of(node_of(cells(as<TypeName>(argument).names).back()));
    return word != "false" && word != "off" && word != "FALSE" && word != "OFF";
}

char first_of(const Node* argument, char otherwise)
{
    const std::string_view text = string_of(argument);
    return text.empty() ? otherwise : text.front();
}

}  // namespace

void copy_options(const List* options, CopyTarget& copied)
{
    const Node* delimiter = nullptr;
    const Node* quote = nullptr;
    const Node* escape = nullptr;
    const Node* null = nullptr;
    for (const ListCell& cell : cells(options)) {
        const auto& option = as<DefElem>(node_of(cell));
        const std::string_view name = view(option.defname);
        if (name == "format") {
            const std::string_view format = string_of(option.arg);
            if (format == "csv")
                copied.format = CopyTarget::Format::csv;
            else if (format == "binary")
                copied.format = CopyTarget::Format::binary;
        } else if (name == "delimiter") {
            delimiter = option.arg;
        } else if (name == "quote") {
            quote = option.arg;
        } else if (name == "escape") {
            escape = option.arg;
        } else if (name == "null") {
            null = option.arg;
        } else if (name == "header") {
            copied.header = is_on(option.arg);
        } else if (name == "force_quote") {
            copied.force_quote = true;
        } else if (name == "encoding") {
            copied.encoding = string_of(option.arg);
        }
    }
    const bool csv = copied.format == CopyTarget::Format::csv;
    copied.delimiter = first_of(delimiter, csv ? ',' : '\t');
    copied.quote = first_of(quote, '"');
    copied.escape = first_of(escape, copied.quote);
    if (null != nullptr)
        copied.null = string_of(null);
    else if (csv)
        copied.null.clear();
}

}  // namespace sallyport::postgres
