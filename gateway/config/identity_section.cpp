// `identity:`: local users, roles, and the identity provider that later versions speak to.

#include <algorithm>

#include "gateway/config/sections.h"

namespace sallyport {

namespace {

// "sha256:" and 64 hex digits.
std::optional<Sha256> parse_token_digest(std::string_view text)
{
    static constexpr std::string_view prefix = "sha256:";
    Sha256 digest{};
    if (!text.starts_with(prefix) || text.size() != prefix.size() + 2 * digest.size())
        return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto value = [](char c) {
        if (c >= '0' && c <= '9')
            return c - '0';
        if (c >= 'a' && c <= 'f')
            return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
            return c - 'A' + 10;
        return -1;
    };
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = value(text[2 * i]);
        const int low = value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        digest[i] = static_cast<std::byte>(high * 16 + low);
    }
    return digest;
}

bool looks_like_ssh_key(std::string_view text)
{
    const std::size_t space = text.find(' ');
    return space != std::string_view::npos && space > 0 && space + 1 < text.size() &&
           (text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-"));
}

void read_user(const YamlNode& node, const std::string& path, UniqueNames& names, Reading& reading,
               std::vector<LocalUser>& users)
{
    MapReader map(node, path, reading);
    LocalUser user;
    user.name = map.required_text("name").value_or("");
    if (user.name == "*")
        map.problem("name", "\"*\" stands for everybody and can be no user's name");
    user.groups = map.plain_texts("groups");
    for (const std::string& group : user.groups) {
        if (group == "*")
            map.problem("groups", "\"*\" stands for everybody and can be no group's name");
    }
    std::ranges::sort(user.groups);
    user.groups.erase(std::ranges::unique(user.groups).begin(), user.groups.end());

    if (const auto password = map.secret("password")) {
        auto verifier = parse_scram_verifier(password->reveal());
        if (verifier)
            user.password = std::move(*verifier);
        else
            map.problem(
                "password",
                "a SCRAM-SHA-256 verifier is expected, never the password itself; `sallyport "
                "user hash-password` makes one");
    }
    for (const MapReader::Item& token : map.texts("tokens")) {
        if (const auto digest = parse_token_digest(token.text))
            user.tokens.push_back(*digest);
        else
            map.problem_at(token.line, map.path_of("tokens") +
                                           ": sha256: and 64 hex digits are expected, never the "
                                           "token itself; `sallyport user token` makes one");
    }
    for (const MapReader::Item& key : map.texts("ssh_keys")) {
        if (looks_like_ssh_key(key.text))
            user.ssh_keys.push_back(key.text);
        else
            map.problem_at(key.line,
                           map.path_of("ssh_keys") +
                               ": a public key as in an authorized_keys file is expected, "
                               "\"ssh-ed25519 AAAA...\"");
    }
    user.disabled = map.flag("disabled").value_or(false);
    map.finish();
    if (!user.name.empty() &&
        names.add(user.name, map.line_of("name"), map.path_of("name"), reading))
        users.push_back(std::move(user));
}

void read_oidc(const YamlNode& node, Reading& reading)
{
    MapReader map(node, "identity.oidc", reading);
    for (const std::string_view key :
         {"issuer", "audience", "client_id", "user_claim", "groups_claim", "jwks"})
        map.text(key);
    map.finish();
    reading.add(node.line,
                "identity.oidc: logins by an identity provider are not in this build; use "
                "identity.users");
}

}  // namespace

void read_identity(const YamlNode& node, Reading& reading, Configuration& into)
{
    MapReader map(node, "identity", reading);
    UniqueNames names;
    map.each("users", [&](const YamlNode& item, const std::string& path) {
        read_user(item, path, names, reading, into.users);
    });
    if (const YamlNode* oidc = map.node("oidc"))
        read_oidc(*oidc, reading);
    if (const YamlNode* roles_node = map.node("roles")) {
        MapReader roles(*roles_node, "identity.roles", reading);
        for (const std::string_view role : {"admin", "auditor", "approver"}) {
            auto groups = roles.plain_texts(role);
            if (!groups.empty())
                into.roles.emplace(role, std::move(groups));
        }
        roles.finish();
    }
    map.finish();
}

}  // namespace sallyport
