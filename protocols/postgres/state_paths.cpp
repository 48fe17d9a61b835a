#include "protocols/postgres/state_paths.h"

#include <algorithm>
#include <cctype>

#include "gateway/digest/digest.h"

namespace sallyport::postgres {

std::string state_folder(const std::string& state_dir)
{
    return state_dir + "/postgres";
}

std::string derived_file(const std::string& state_dir, const Target& target)
{
    const std::string folder = state_folder(state_dir) + "/";
    const std::string port = "," + std::to_string(target.port) + ",";
    const auto is_plain = [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '.' || letter == '-' || letter == '_';
    };
    constexpr std::size_t longest = 128;
    const std::string names = target.host + target.database;
    if (names.size() <= longest && std::ranges::all_of(names, is_plain))
        return folder + target.host + port + target.database + ".derived";
    const std::string whole = target.host + '\0' + port + '\0' + target.database;
    return folder + to_hex(sha256(bytes_of(whole))) + ".derived";
}

std::string catalogue_file(const std::string& state_dir, const std::string& connection)
{
    return state_folder(state_dir) + "/" + connection + ".catalogue";
}

}  // namespace sallyport::postgres
