#include "gateway/identity/user_directory.h"

#include <algorithm>

namespace sallyport {

namespace {

Identity identity_of(const LocalUser& user, std::string proof)
{
    Identity identity{user.name, user.groups, std::move(proof)};
    std::sort(identity.groups.begin(), identity.groups.end());
    return identity;
}

}  // namespace

UserDirectory::UserDirectory(std::vector<LocalUser> users, std::string decoy_key)
    : decoy_key_(std::move(decoy_key))
{
    for (LocalUser& user : users) {
        std::string name = user.name;
        users_.insert_or_assign(std::move(name), std::move(user));
    }
}

const LocalUser* UserDirectory::find(std::string_view name) const
{
    const auto found = users_.find(name);
    return found == users_.end() ? nullptr : &found->second;
}

// Looks like one of the real ones, always the same for the same name: iterations and salt length
// would otherwise tell decoys apart.
ScramVerifier UserDirectory::decoy_for(std::string_view name) const
{
    ScramVerifier decoy = decoy_scram_verifier(name, bytes_of(decoy_key_));
    std::vector<const ScramVerifier*> models;
    for (const auto& [user_name, user] : users_) {
        if (user.password.has_value())
            models.push_back(&*user.password);
    }
    if (models.empty())
        return decoy;
    const auto choice = std::to_integer<std::size_t>(decoy.server_key.back());
    const ScramVerifier& model = *models[choice % models.size()];
    decoy.iterations = model.iterations;
    while (decoy.salt.size() < model.salt.size())
        decoy.salt += text_of(hmac_sha256(bytes_of(decoy_key_), bytes_of(decoy.salt)));
    decoy.salt.resize(model.salt.size());
    return decoy;
}

ScramServer UserDirectory::scram_for(std::string_view user,
                                     std::optional<std::string> channel_binding) const
{
    const LocalUser* found = find(user);
    const ScramVerifier decoy = decoy_for(user);
    if (found == nullptr || !found->password.has_value())
        return {decoy, std::nullopt, std::move(channel_binding)};
    std::optional<Identity> identity;
    if (!found->disabled)
        identity = identity_of(*found, "scram-sha-256");
    return {*found->password, std::move(identity), std::move(channel_binding)};
}

bool UserDirectory::asks_for_token(std::string_view user) const
{
    const LocalUser* found = find(user);
    return found != nullptr && !found->tokens.empty() && !found->password.has_value();
}

Result<ProvedUser> UserDirectory::prove_by_token(std::string_view user, const Secret& token) const
{
    const Sha256 digest = sha256(bytes_of(token.reveal()));
    const LocalUser* found = find(user);
    bool known = false;
    if (found != nullptr) {
        for (const Sha256& kept : found->tokens)
            known = equal_in_constant_time(kept, digest) || known;
    }
    if (!known || found->disabled)
        return failure(Fault::unauthentic,
                       "the token is not one of the user's, or the user is "
                       "unknown or disabled");
    return ProvedUser(identity_of(*found, "token"));
}

Result<ProvedUser> UserDirectory::prove_by_certificate(std::string_view user,
                                                       std::string_view common_name) const
{
    const LocalUser* found = find(user);
    if (found == nullptr || found->disabled || common_name != found->name)
        return failure(Fault::unauthentic,
                       "the certificate's common name is not the user's, or "
                       "the user is unknown or disabled");
    return ProvedUser(identity_of(*found, "certificate"));
}

bool UserDirectory::still_holds(const Identity& identity) const
{
    const LocalUser* found = find(identity.name);
    if (found == nullptr || found->disabled)
        return false;
    return std::all_of(identity.groups.begin(), identity.groups.end(), [&](const auto& group) {
        return std::find(found->groups.begin(), found->groups.end(), group) != found->groups.end();
    });
}

}  // namespace sallyport
