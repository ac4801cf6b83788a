#pragma once

namespace probes {

// What said that the body of an answer is over.
enum class BodyEnd {
  said,    // its length, its last chunk
  closed,  // the end of the connection: also that of a server that died while it wrote
  unsaid,  // the end of a connection whose TLS was not ended: anybody on the way can do that
};

}  // namespace probes
