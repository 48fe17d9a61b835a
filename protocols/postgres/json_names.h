// Names of a target's objects in JSON. They are UTF-8 nearly always; a database of encoding
// SQL_ASCII can have others, which must come back as they were.

#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::postgres {

// A string; {"base64": ...} where it is not UTF-8.
nlohmann::json json_of_name(std::string_view name);

// Nothing where it is neither of the two.
std::optional<std::string> name_in_json(const nlohmann::json& value);

}  // namespace sallyport::postgres
