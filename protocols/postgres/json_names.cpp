#include "protocols/postgres/json_names.h"

#include "gateway/digest/digest.h"
#include "gateway/vocabulary/bytes.h"
#include "protocols/postgres/utf8.h"

namespace sallyport::postgres {

nlohmann::json json_of_name(std::string_view name)
{
    if (is_utf8(name))
        return name;
    return {{"base64", to_base64(bytes_of(name))}};
}

std::optional<std::string> name_in_json(const nlohmann::json& value)
{
    if (value.is_string())
        return value.get<std::string>();
    if (!value.is_object())
        return std::nullopt;
    const auto encoded = value.find("base64");
    if (encoded == value.end() || !encoded->is_string())
        return std::nullopt;
    return from_base64(encoded->get_ref<const std::string&>());
}

}  // namespace sallyport::postgres
