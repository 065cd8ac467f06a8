// Which stories may be told beside which. Each share has a browser and a server of its own, and its files are told in this order: what one
// leaves behind is there for the next. They are to take about as long.
export const SHARES = {
  people: ["sign-up", "carrier", "live", "lists", "outcomes", "fields", "connection", "habits", "last"],
  looks: ["hand", "first-call", "timeline", "installation", "look"],
};
